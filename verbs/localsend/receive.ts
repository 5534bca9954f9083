import { isAbsolute } from 'node:path'
import { Failure, InputError } from '../../lib/base/errors.ts'
import { plain, quoted } from '../../lib/base/text.ts'
import type { Offer } from '../../lib/share/localsend/receiver/offers.ts'
import { usableFolder } from '../../lib/share/localsend/receiver/folder.ts'
import type { Deps } from '../verb.ts'
import { advertised } from './advertised.ts'
import type { ReceiveInput, ReceiveResult, SessionStatusResult } from './schemas.ts'
import { sessions } from './sessions.ts'

/**
 * Says what becomes of the offers of a session's peer, those that wait and those that come: they go to a folder, or are
 * declined. What arrives is told by `localsend_session_status`.
 *
 * @throws InputError; Failure when nothing listens, or the folder can't be used
 */
export async function receive(input: ReceiveInput, { signal }: Deps): Promise<ReceiveResult> {
  const session = sessions.get(input.session_id)
  const listening = advertised()
  if (listening === undefined)
    throw new Failure('nothing listens for offers: call localsend_advertise first, then this')
  if (!input.accept) return { accept: false, decided: shown(listening.doorkeeper.say(session, undefined)) }
  if (!isAbsolute(input.dest_dir))
    throw new InputError('dest_dir', `takes an absolute path, not ${quoted(input.dest_dir)}`)
  const folder = await usableFolder(input.dest_dir)
  signal.throwIfAborted()
  const decided = listening.doorkeeper.say(session, folder)
  return { accept: true, dest_dir: folder, decided: shown(decided) }
}

/** Offers as an agent reads them: what they say is the senders' own. */
export function shown(offers: readonly Offer[]): SessionStatusResult['offers'] {
  return offers.map(({ from, address, files, bytes }) => {
    return { from: plain(from, 63), address, files: files.length, bytes }
  })
}
