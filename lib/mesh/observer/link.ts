import { randomBytes } from 'node:crypto'
import { startStreaming, type Streamed } from '../../base/streaming.ts'
import { lastLine, messageOf } from '../../base/text.ts'
import { BadAnswer, parseRound, type Round } from '../../machine/answer.ts'
import { probeRounds, roundRequest, type Asked } from '../../machine/probe-rounds.ts'
import type { Counts } from '../../machine/processes.ts'
import type { Connections } from '../connections.ts'
import type { Fault } from '../node.ts'
import type { Host } from '../remote/host.ts'
import { oneLine, READ_SCRIPT } from '../remote/script.ts'
import { shellWord } from '../../base/shell.ts'
import { ENDLESS, lateFault, sshFault, wasTurnedAway } from '../ssh-faults.ts'
import { sshArguments } from '../ssh.ts'

/** Why a machine that was asked gave no measurement. */
export class LinkFault extends Error {
  override name = 'LinkFault'
  readonly outcome: Fault
  /** Its sshd, or that of a machine before it, closed the connection before it began. */
  readonly turnedAway: boolean

  constructor(outcome: Fault, reason: string, turnedAway = false) {
    super(reason)
    this.outcome = outcome
    this.turnedAway = turnedAway
  }
}

/** Characters of an answer, and of what a login shell says around it; a process is about three hundred. */
const MOST_LOAD = 1_000_000
const MOST_PROCESSES = 16_000_000
/** Of what nobody has asked for, between two rounds. */
const MOST_UNASKED = 65_536
const MOST_STDERR = 8192
/** How long the other side may take to end after its input has. */
const CLOSE_MS = 1000
/** This program may have stood still, as after Ctrl-Z: what has come meanwhile is read before a time counts as over. */
const AFTER_STANDSTILL_MS = 1000

type Pending = {
  end: string
  most: number
  searched: number
  resolve: (text: string) => void
  reject: (fault: LinkFault) => void
}

/** One kept connection to a machine, over which it answers round after round. */
export class Link {
  readonly #child: Streamed
  readonly #ssh: boolean
  #text = ''
  #stderr = ''
  #unasked = 0
  #pending: Pending | undefined
  #fault: LinkFault | undefined

  private constructor(child: Streamed, roundMs: number, ssh: boolean) {
    this.#child = child
    this.#ssh = ssh
    child.stdout.setEncoding('utf8')
    child.stderr.setEncoding('utf8')
    child.stdout.on('data', (chunk: string) => this.#take(chunk))
    child.stderr.on('data', (chunk: string) => {
      this.#stderr = (this.#stderr + chunk).slice(-MOST_STDERR)
    })
    void child.ended.then((ended) => this.#fail(this.#whyEnded(ended)))
    child.stdin.write(oneLine(probeRounds(roundMs)))
  }

  /** Begins a connection; whether it can be had shows when it is asked. */
  static async open(
    { ssh }: Host,
    connections: Connections,
    { roundMs, connectMs }: { roundMs: number; connectMs: number },
  ): Promise<{ link: Link; controlPath?: string }> {
    if (!ssh)
      return { link: new Link(startStreaming({ file: 'sh', args: ['-c', READ_SCRIPT] }), roundMs, false) }
    const files = await connections.files(ssh)
    const args = sshArguments(ssh, `exec sh -c ${shellWord(READ_SCRIPT)}`, connectMs / 1000, files)
    const link = new Link(startStreaming({ file: 'ssh', args }), roundMs, true)
    return { link, ...(files.controlPath === undefined ? {} : { controlPath: files.controlPath }) }
  }

  /**
   * One round. Nothing is asked before the last answer was read.
   *
   * @param earlier the sample of a round before, to compare with
   * @throws LinkFault, after which the connection is of no use any more
   */
  async ask(asked: Asked, timeoutMs: number, earlier: Counts | undefined): Promise<Round> {
    if (this.#fault) throw this.#fault
    const nonce = randomBytes(16).toString('hex')
    this.#text = ''
    this.#unasked = 0
    const answered = new Promise<string>((resolve, reject) => {
      const most = asked === 'load' ? MOST_LOAD : MOST_PROCESSES
      this.#pending = { end: `\n${nonce} end\n`, most, searched: 0, resolve, reject }
    })
    const cancel = this.#failAfter(timeoutMs, nonce)
    this.#child.stdin.write(roundRequest(asked, nonce))
    try {
      return parseRound(await answered, nonce, earlier)
    } catch (error) {
      if (!(error instanceof BadAnswer)) throw error
      const fault = new LinkFault('bad-output', `${messageOf(error)}${this.#complaint()}`)
      this.#fail(fault)
      throw fault
    } finally {
      cancel()
      this.#pending = undefined
      this.#text = ''
    }
  }

  /** Ends it, here and there: the loop there ends with its input. */
  async close(): Promise<void> {
    this.#fault ??= new LinkFault('unreachable', 'the connection was closed here')
    this.#child.stdin.end()
    const timer = setTimeout(() => this.#kill(), CLOSE_MS)
    await this.#child.ended
    clearTimeout(timer)
  }

  #take(chunk: string): void {
    const pending = this.#pending
    if (!pending) {
      this.#unasked += chunk.length
      if (this.#unasked > MOST_UNASKED) this.#fail(new LinkFault('bad-output', ENDLESS))
      return
    }
    this.#text += chunk
    if (this.#text.includes(pending.end, pending.searched)) pending.resolve(this.#text)
    else if (this.#text.length > pending.most) this.#fail(new LinkFault('bad-output', ENDLESS))
    pending.searched = Math.max(0, this.#text.length - pending.end.length)
  }

  #failAfter(timeoutMs: number, nonce: string): () => void {
    let dueMs = performance.now() + timeoutMs
    const late = () => {
      const now = performance.now()
      if (now - dueMs > AFTER_STANDSTILL_MS) {
        dueMs = now + AFTER_STANDSTILL_MS
        timer = setTimeout(late, AFTER_STANDSTILL_MS)
        return
      }
      const { outcome, reason } = lateFault(timeoutMs, { stdout: this.#text, stderr: this.#stderr }, nonce)
      this.#fail(new LinkFault(outcome, reason))
    }
    let timer = setTimeout(late, timeoutMs)
    return () => clearTimeout(timer)
  }

  #fail(fault: LinkFault): void {
    this.#fault ??= fault
    this.#kill()
    this.#pending?.reject(this.#fault)
  }

  /** What it has started may outlive it, and hold its pipes open: they are not waited for. */
  #kill(): void {
    this.#child.kill()
    this.#child.stdout.destroy()
    this.#child.stderr.destroy()
  }

  #whyEnded({ exitCode, missing }: { exitCode: number | undefined; missing: boolean }): LinkFault {
    if (missing) return new LinkFault('unreachable', 'there is no ssh client on this machine')
    if (this.#ssh && exitCode === 255)
      return new LinkFault(
        sshFault(this.#stderr).outcome,
        sshFault(this.#stderr).reason,
        wasTurnedAway(this.#stderr),
      )
    const line = lastLine(this.#text, 80)
    const instead = line === undefined ? '' : `, instead: ${line}`
    return new LinkFault('bad-output', `it no longer answers${instead}${this.#complaint()}`)
  }

  /** The last thing that the other side complained of. */
  #complaint(): string {
    const line = lastLine(this.#stderr, 80)
    return line === undefined ? '' : ` (${line})`
  }
}
