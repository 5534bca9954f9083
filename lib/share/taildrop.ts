import { run } from '../base/command.ts'
import { Failure } from '../base/errors.ts'
import type { MeshNode } from '../mesh/node.ts'
import { findTailscale } from '../mesh/tailscale.ts'
import { lastLine } from '../base/text.ts'
import type { Parcel } from './walk.ts'

/** Beyond this, a transfer that is slower than one megabyte a second is given up. */
const LEAST_MS = 60_000
const BYTES_PER_MS = 1000

/**
 * Puts files into a machine's Taildrop inbox, where a person or `tailscale file get` takes them out.
 *
 * @throws Failure when there is a folder among them, or tailscale fails
 */
export async function taildrop(
  node: MeshNode,
  { paths, files, hasFolder }: Parcel,
  signal: AbortSignal,
): Promise<void> {
  if (hasFolder)
    throw new Failure('Taildrop takes no folders: say --via ssh, or make one file of it with `tar -cf`')
  const file = await findTailscale()
  if (file === undefined) throw new Failure('tailscale is not installed here, so there is no Taildrop')
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  const timeoutMs = LEAST_MS + bytes / BYTES_PER_MS
  const args = ['file', 'cp', '--', ...paths, `${node.address}:`]
  const { exitCode, stderr, timedOut } = await run({ file, args }, { timeoutMs, signal })
  if (exitCode === 0) return
  const why = timedOut
    ? `no end within ${(timeoutMs / 1000).toFixed(0)} s`
    : (lastLine(stderr, 200) ?? 'it does not say why')
  throw new Failure(`Taildrop to ${node.name} failed: ${why}`)
}
