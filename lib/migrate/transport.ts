import { Transform } from 'node:stream'
import { runPiped } from '../command.ts'
import type { Reach } from '../host/host.ts'
import { commandOn, saidBy } from '../host/run.ts'
import { framedScript } from '../host/script.ts'
import { endOf, FOLDER, LAUNCH, type Machine, type StepEnd, type StepLimits } from './machine.ts'

// What reads or writes a stream is attached to it, and no step of its own: it changes nothing but its own folder.
const ATTACHED = `
[ -f "${FOLDER}/$ID/steps.sh" ] || exit 3
sh "${FOLDER}/$ID/steps.sh" "$ATTACHED" || exit`

export type Way = {
  source: Machine
  target: Machine
  reach: Reach
  limits: StepLimits
  /** Is told how many bytes more have gone. */
  moved: (bytes: number) => void
}

/** Sends the files that have to be there, while the process still runs. */
export async function stage(way: Way): Promise<StepEnd> {
  return await pipe('stage', 'take', ATTACHED, way)
}

/** Sends the images and has them restored, stopped, in one command at each end. */
export async function sendAndRestore(way: Way): Promise<StepEnd> {
  return await pipe('send', 'receive', `${ATTACHED}\n${LAUNCH}`, way)
}

async function pipe(sends: string, takes: string, body: string, way: Way): Promise<StepEnd> {
  const { source, target, reach, limits, moved } = way
  const send = framedScript(ATTACHED, { ...source.values(''), ATTACHED: sends }, 'root')
  const take = framedScript(body, { ...target.values('restore'), ATTACHED: takes }, 'root')
  const from = { ...(await commandOn(source.host, send, reach)), input: send.text }
  const to = { ...(await commandOn(target.host, take, reach)), input: take.text }
  const unframed = new Unframed(send.nonce, moved)
  const [sent, taken] = await runPiped(from, to, limits, unframed)
  const end = endOf(saidBy(taken, take.nonce, limits.timeoutMs))
  if (end.known) return end
  const failed = saidBy(sent, send.nonce, limits.timeoutMs)
  return { known: false, reason: unframed.failure ?? (failed.known ? end.reason : failed.reason) }
}

/** Takes what a framed script prints out of its frame, so that what a login shell prints is not sent along. */
export class Unframed extends Transform {
  readonly #begin: Buffer
  readonly #end: Buffer
  readonly #moved: (bytes: number) => void
  #held = Buffer.alloc(0)
  #inside = false
  /** Why what came is not the whole. */
  failure: string | undefined

  constructor(nonce: string, moved: (bytes: number) => void) {
    super()
    this.#begin = Buffer.from(`\n${nonce} begin\n`)
    this.#end = Buffer.from(`\n${nonce} end `)
    this.#moved = moved
  }

  override _transform(chunk: Buffer, _encoding: string, done: () => void): void {
    let bytes = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk
    if (!this.#inside) {
      const at = bytes.indexOf(this.#begin)
      if (at === -1) {
        this.#held = Buffer.from(bytes.subarray(-this.#begin.length))
        return done()
      }
      this.#inside = true
      bytes = bytes.subarray(at + this.#begin.length)
    }
    // The end of the frame, its status and a newline, may be the last bytes.
    const sure = Math.max(0, bytes.length - this.#end.length - 5)
    this.#held = Buffer.from(bytes.subarray(sure))
    if (sure > 0) {
      this.#moved(sure)
      this.push(bytes.subarray(0, sure))
    }
    done()
  }

  override _flush(done: (error?: Error) => void): void {
    const at = this.#held.indexOf(this.#end)
    const status =
      at === -1
        ? undefined
        : this.#held
            .subarray(at + this.#end.length)
            .toString()
            .trim()
    if (!this.#inside || status !== '0') {
      this.failure =
        status === undefined ? 'the images broke off' : `the images can't be read (status ${status})`
      return done(new Error(this.failure))
    }
    this.push(this.#held.subarray(0, at))
    done()
  }
}
