import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { Failure } from '../../base/errors.ts'
import { writeAtomically } from '../../base/atomic-file.ts'
import { takeLock } from '../../base/lock.ts'
import { messageOf, quoted } from '../../base/text.ts'
import { PeerFailure } from './failures.ts'

const Remembered = z.record(z.string(), z.string())

/** What is remembered of one peer, by its address and port. */
export type Trust = {
  /** @throws PeerFailure when it is remembered with another certificate; Failure when the file can't be read */
  check: (fingerprint: string) => Promise<void>
  /** Keeps the certificate, once it is known that LocalSend is behind it. @throws Failure */
  remember: (fingerprint: string) => Promise<void>
  /** Whether it has shown a certificate before: then it is not spoken to without TLS. */
  isKnown: () => Promise<boolean>
}

/**
 * A peer that shows another certificate than it did when it was first seen is refused.
 *
 * @param folder of this user's state
 * @param peer its name for messages, and the address that it is remembered by
 * @param trustNew what is remembered counts for nothing, and is replaced
 */
export function trustIn(
  folder: string,
  { name, address, port }: { name: string; address: string; port: number },
  trustNew: boolean,
): Trust {
  const file = join(folder, 'localsend-peers.json')
  const key = `${address} ${port}`
  const known = async () => (await remembered(file)).get(key)
  return {
    check: async (fingerprint) => {
      const before = await known()
      if (before === undefined || before === fingerprint || trustNew) return
      throw new PeerFailure(
        'changed',
        `the certificate of ${name} has changed (${short(before)} is now ${short(fingerprint)}): nothing was sent; if LocalSend was set up anew there, say --trust-new`,
      )
    },
    remember: async (fingerprint) => {
      if ((await known()) !== fingerprint) await remember(file, key, fingerprint)
    },
    isKnown: async () => !trustNew && (await known()) !== undefined,
  }
}

const short = (fingerprint: string) => `${fingerprint.slice(0, 16)}…`

async function remembered(file: string): Promise<Map<string, string>> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}'
    throw new Failure(`${quoted(file)} can't be read: ${messageOf(error)}`, { cause: error })
  })
  try {
    return new Map(Object.entries(Remembered.parse(JSON.parse(text))))
  } catch (error) {
    throw new Failure(`${quoted(file)} is damaged: delete it to trust every peer anew`, { cause: error })
  }
}

/** Read again under a lock: another run may have remembered another peer meanwhile. */
async function remember(file: string, key: string, fingerprint: string): Promise<void> {
  try {
    const lock = await lockOf(file)
    try {
      const all = await remembered(file)
      all.set(key, fingerprint)
      await writeAtomically(file, `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`, 0o600)
    } finally {
      await lock.release()
    }
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure(`${quoted(file)} can't be written: ${messageOf(error)}`, { cause: error })
  }
}

async function lockOf(file: string) {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const lock = await takeLock(`${file}.lock`)
    if (lock !== undefined) return lock
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Failure(`${quoted(file)} is in use by another run`)
}
