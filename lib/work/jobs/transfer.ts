import { randomBytes } from 'node:crypto'
import type { Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { runPiped } from '../../base/piped-commands.ts'
import { Failure } from '../../base/errors.ts'
import type { Host, Reach } from '../../mesh/remote/host.ts'
import { commandOn, saidBy } from '../../mesh/remote/run.ts'
import { framedScript } from '../../mesh/remote/script.ts'
import { sshFault } from '../../mesh/ssh-faults.ts'
import { shellWords } from '../../base/shell.ts'
import { startStreaming } from '../../base/streaming.ts'
import { isGnuTar } from '../../base/tar.ts'
import { lastLine, messageOf } from '../../base/text.ts'
import { packArguments } from './files.ts'
import { Unframe } from './frame.ts'
import type { Work } from './job.ts'
import { nodeScript, whyNot } from './runner.ts'

/** Dead connections are ended by ssh itself. */
const WEEK_MS = 7 * 86_400_000

/**
 * Sends files into the folder of a run.
 *
 * @param gnuTar whether the tar there is GNU's
 * @throws Failure; the signal's reason
 */
export async function sendFiles(
  host: Host,
  run: string,
  send: Work['send'],
  gnuTar: boolean,
  reach: Reach,
  signal: AbortSignal,
): Promise<void> {
  const script = framedScript(
    nodeScript('run_unpack'),
    { ID: run, SENT: shellWords(send.map(({ as }) => as)) },
    'self',
  )
  const to = { ...(await commandOn(host, reach)), input: script.text }
  const holes = gnuTar && (await isGnuTar(signal))
  const from = { file: 'tar', args: packArguments(send, holes), env: { COPYFILE_DISABLE: '1' } }
  const [packed, unpacked] = await runPiped(from, to, { timeoutMs: WEEK_MS, signal })
  const said = saidBy(unpacked, script.nonce, WEEK_MS)
  if (said.known && said.status === 0 && packed.exitCode === 0) return
  const ours = packed.missing ? 'there is no tar here' : lastLine(packed.stderr, 160)
  if (said.known && said.status !== 0) throw new Failure(`${host.name}: ${whyNot(said)}`)
  if (packed.exitCode !== 0 && ours !== undefined) throw new Failure(`the files can't be read: ${ours}`)
  throw new Failure(`${host.name}: the files did not get there: ${said.known ? 'cut short' : said.reason}`)
}

/**
 * Writes what a function of runner.sh prints on a machine to a stream, to the last byte, and ends the stream only when all
 * of it has come.
 *
 * @throws Failure; the signal's reason
 */
export async function streamFrom(
  host: Host,
  call: string,
  values: Readonly<Record<string, string>>,
  to: Writable,
  reach: Reach,
  signal: AbortSignal,
): Promise<void> {
  const mark = randomBytes(16).toString('hex')
  const script = framedScript(nodeScript(`run_stream ${call}`), { ...values, MARK: mark }, 'self')
  const child = startStreaming(await commandOn(host, reach))
  signal.addEventListener('abort', child.kill)
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = `${stderr}${chunk.toString()}`.slice(-10_000)
  })
  child.stdin.end(script.text)
  const unframe = new Unframe(mark)
  try {
    await pipeline(child.stdout, unframe, to, { end: false })
  } catch (error) {
    child.kill()
    to.destroy()
    signal.throwIfAborted()
    throw unwritten(host, error)
  } finally {
    signal.removeEventListener('abort', child.kill)
  }
  const { exitCode, missing } = await child.ended
  signal.throwIfAborted()
  if (unframe.status === 0) {
    to.end()
    await finished(to, { readable: false }).catch((error: unknown) => {
      throw unwritten(host, error)
    })
    return
  }
  to.destroy()
  const why =
    unframe.status !== undefined
      ? (lastLine(stderr, 160) ?? `status ${unframe.status}`)
      : missing
        ? 'there is no ssh client on this machine'
        : exitCode === 255
          ? sshFault(stderr).reason
          : 'it is cut short'
  throw new Failure(`${host.name}: fetching from there failed: ${why}`)
}

function unwritten({ name }: Host, error: unknown): Failure {
  return new Failure(`what ${name} sends can't be written: ${messageOf(error)}`, { cause: error })
}
