import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Writable, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Failure } from '../../base/errors.ts'
import type { Host, Reach } from '../../mesh/remote/host.ts'
import { commandOn } from '../../mesh/remote/run.ts'
import { answerOf, framedScript } from '../../mesh/remote/script.ts'
import { sshFault } from '../../mesh/ssh-faults.ts'
import { startStreaming, type Streamed } from '../../base/streaming.ts'
import { shellWords } from '../../base/shell.ts'
import { lastLine } from '../../base/text.ts'
import { Unframe } from './frame.ts'
import type { Work } from './job.ts'
import { SILENCE_SECONDS, type Lifeline } from './lifeline.ts'
import { nodeScript } from './runner.ts'

/** A run whose folder is there, with the files. */
export type Prepared = { host: Host; run: string; boot: string; before: () => number; owner: string }

export type Terminal = {
  /** For the command to read; without it, it reads nothing. */
  stdin: Readable | undefined
  stdout: Writable
  stderr: Writable
}

/** After Ctrl-C, so long may the command take to end by itself. */
const KIND_MS = 2000

/**
 * Runs a command on a machine in the foreground. When the person interrupts it, it is told so as by a terminal, and
 * nothing of it is left there.
 *
 * @param begun called when it has begun there
 * @returns its exit status, as a shell tells it
 * @throws Failure where it could not be begun, or nobody knows how it ended; the signal's reason
 */
export async function runForeground(
  prepared: Prepared,
  work: Work,
  terminal: Terminal,
  {
    lifeline,
    reach,
    signal,
    begun,
  }: { lifeline: Lifeline; reach: Reach; signal: AbortSignal; begun: () => void },
): Promise<number> {
  const { host } = prepared
  const mark = randomBytes(16).toString('hex')
  const script = framedScript(
    nodeScript('run_foreground'),
    { ...valuesOf(prepared, work), MARK: mark },
    'self',
  )
  const child = startStreaming(await commandOn(host, reach))
  feed(child, script.text, terminal.stdin)
  const [out, err] = [new Unframe(mark), new Unframe(mark)]
  const unread = () => lifeline.say('unread')
  out.once('begun', begun)
  const ended = Promise.all([
    child.ended,
    passOn(child.stdout, out, terminal.stdout, unread),
    passOn(child.stderr, err, terminal.stderr),
  ])
  const stopped = await Promise.race([ended.then(() => false), aborted(signal)])
  if (stopped || signal.aborted) {
    lifeline.say('interrupt')
    await Promise.race([ended, sleep(KIND_MS)])
    const left = await lifeline.stop()
    child.kill()
    if (left !== undefined) throw new Failure(`${host.name}: ${left}`)
    throw signal.reason
  }
  const [{ exitCode, missing }] = await ended
  if (out.status === 'silence')
    throw new Failure(
      `${host.name}: the command was stopped there, because nothing was heard of this side for ${SILENCE_SECONDS} s: was it suspended?`,
    )
  if (out.status !== undefined) return out.status
  if (out.begun)
    throw new Failure(
      `${host.name}: the connection was lost: how the command ended is not known, and what runs of it is stopped there within ${SILENCE_SECONDS + 10} s`,
    )
  // What was printed before the beginning is not the command's: it says why there was none.
  const refused = answerOf(out.head, script.nonce)
  if (refused) throw new Failure(`${host.name}: ${lastLine(refused.output, 160) ?? 'it was not begun'}`)
  if (missing) throw new Failure('there is no ssh client on this machine')
  throw new Failure(
    `${host.name}: ${exitCode === 255 ? sshFault(err.head).reason : 'the answer is cut short'}`,
  )
}

function valuesOf({ run, boot, before, owner }: Prepared, { argv, cwd, env }: Work): Record<string, string> {
  const values = { ID: run, BOOT: boot, BEFORE: String(before()), OWNER: owner, CWD: cwd }
  return { ...values, ARGV: shellWords(argv), ENV: shellWords(env) }
}

async function aborted(signal: AbortSignal): Promise<true> {
  return await new Promise((resolve) => {
    if (signal.aborted) resolve(true)
    else signal.addEventListener('abort', () => resolve(true), { once: true })
  })
}

/** The script, and then what there is to read. */
function feed({ stdin, ended }: Streamed, script: string, input: Readable | undefined): void {
  stdin.write(script)
  if (!input) {
    stdin.end()
    return
  }
  input.pipe(stdin)
  // What nobody reads any more must not keep this program.
  const letGo = () => input.unpipe(stdin).destroy()
  void ended.then(letGo)
}

/**
 * Passes on what is printed as it comes. Where nobody reads it any more, the rest goes nowhere, and `unread` tells the
 * other side: the command's next write fails there, as it would in a pipe here.
 */
async function passOn(from: Readable, through: Unframe, to: Writable, unread = () => {}): Promise<void> {
  let gone = false
  const reader = new Writable({
    write: (chunk: Buffer, _, done) => {
      if (gone) return done()
      to.write(chunk, (error) => {
        if (error && !gone) {
          gone = true
          unread()
        }
        done()
      })
    },
  })
  await pipeline(from, through, reader).catch(() => from.destroy())
}
