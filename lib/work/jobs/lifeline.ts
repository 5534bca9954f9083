import { randomBytes } from 'node:crypto'
import { Failure } from '../../base/errors.ts'
import type { Host, Reach } from '../../mesh/remote/host.ts'
import { commandOn } from '../../mesh/remote/run.ts'
import { framedScript } from '../../mesh/remote/script.ts'
import { sshFault } from '../../mesh/ssh-faults.ts'
import { startStreaming, type Streamed } from '../../base/streaming.ts'
import { lastLine, plain } from '../../base/text.ts'
import { Unframe } from './frame.ts'
import { nodeScript } from './runner.ts'

const BEAT_MS = 3000
/**
 * For how long this side may say nothing before the command is stopped there: a person may stop it by Ctrl-Z, or close a
 * laptop, for a moment. Tests shorten it by `RESOURCE_SHARING_SILENCE_SECONDS`.
 */
export const SILENCE_SECONDS = Number(
  /^[1-9]\d{0,3}$/.exec(process.env['RESOURCE_SHARING_SILENCE_SECONDS'] ?? '')?.[0] ?? 120,
)
const STOP_MS = 5000
const CLOSE_MS = 2000

/**
 * A second way to the machine where a command runs in the foreground, by which it knows that this side is still there:
 * when it ends or goes silent, the command is stopped there. The command's own input can't tell, because that may end,
 * or wait to be read, at any time.
 */
export class Lifeline {
  readonly #child: Streamed
  readonly #unframe: Unframe
  readonly #timer: NodeJS.Timeout
  #said = ''

  private constructor(child: Streamed, unframe: Unframe) {
    this.#child = child
    this.#unframe = unframe
    unframe.on('data', (chunk: Buffer) => {
      this.#said += chunk.toString()
    })
    this.#timer = setInterval(() => this.say('beat'), BEAT_MS)
  }

  /** @throws Failure when the machine can't be reached */
  static async open(host: Host, run: string, reach: Reach): Promise<Lifeline> {
    const mark = randomBytes(16).toString('hex')
    const script = framedScript(
      nodeScript('run_lifeline'),
      { ID: run, MARK: mark, SILENCE: String(SILENCE_SECONDS) },
      'self',
    )
    const child = startStreaming(await commandOn(host, reach))
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = `${stderr}${chunk.toString()}`.slice(-10_000)
    })
    const unframe = new Unframe(mark)
    child.stdout.pipe(unframe)
    child.stdin.write(script.text)
    const begun = new Promise<true>((resolve) => unframe.once('begun', () => resolve(true)))
    const ended = await Promise.race([begun, child.ended])
    if (ended === true) return new Lifeline(child, unframe)
    if (ended.missing) throw new Failure('there is no ssh client on this machine')
    const why = ended.exitCode === 255 ? sshFault(stderr).reason : lastLine(stderr, 160)
    throw new Failure(`${host.name}: ${why ?? 'it does not answer'}`)
  }

  /** A word of run_lifeline in runner.sh. */
  say(word: 'beat' | 'interrupt' | 'unread' | 'stop' | 'over'): void {
    if (this.#child.stdin.writable) this.#child.stdin.write(`${word}\n`)
  }

  /** Stops the command. @returns what is wrong unless nothing of it is left */
  async stop(): Promise<string | undefined> {
    const answer = () => /^(?:stopped|left .*)$/m.exec(this.#said)?.[0]
    const answered = new Promise<void>((resolve) => {
      this.#unframe.on('data', () => (answer() === undefined ? undefined : resolve()))
    })
    this.say('stop')
    const late = new Promise<void>((resolve) => setTimeout(resolve, STOP_MS).unref())
    await Promise.race([answered, this.#child.ended, late])
    const said = answer()
    if (said === 'stopped') return undefined
    return said === undefined
      ? 'the connection is lost: what runs of the command is stopped there in a while'
      : `this does not end there: ${plain(said.slice('left '.length))}`
  }

  /**
   * Ends it, and the folder of the run goes.
   *
   * @param over whether the command is known to have ended; else it is stopped
   */
  close(over: boolean): void {
    clearInterval(this.#timer)
    if (over) this.say('over')
    this.#child.stdin.end()
    // A connection that is lost may take long to notice; this program does not wait for it.
    setTimeout(this.#child.kill, CLOSE_MS).unref()
  }
}
