import { Transform, type TransformCallback } from 'node:stream'
import { frameBegin } from '../../base/frame.ts'
import { ENDLESS } from '../../mesh/ssh-faults.ts'

const RECORD_SEPARATOR = 0x1e
/** What a login shell may say before the answer begins. */
const MOST_HEAD = 1_000_000

/**
 * Passes on what a command prints that runs elsewhere while somebody looks on: what stands between the line `MARK begin`
 * and the record separator with `MARK end STATUS`. Nothing is held back but what may be the beginning of that end, and the
 * separator, which hardly any text holds, keeps that rare: a prompt without a newline is shown at once. That is why this
 * is neither `readFrame`, which needs all of an answer, nor the stream of a migration, which holds back its last bytes.
 */
export class Unframe extends Transform {
  /** The status at the end; undefined while it has not come. `silence`: what was run was stopped for this side's. */
  status: number | 'silence' | undefined
  /** What came before the beginning; all of it, where there was none. */
  head = ''
  begun = false
  readonly #begin: Buffer
  readonly #end: Buffer
  #held: Buffer = Buffer.alloc(0)

  constructor(mark: string) {
    super()
    this.#begin = Buffer.from(frameBegin(mark))
    this.#end = Buffer.from(`\u001E${mark} end `)
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.status !== undefined) return done()
    this.#held = Buffer.concat([this.#held, chunk])
    if (!this.begun) this.#lookForBeginning()
    if (this.begun) this.#passOn()
    done()
  }

  override _flush(done: TransformCallback): void {
    if (!this.begun) this.head += this.#held.toString()
    else if (this.status === undefined) this.push(this.#held)
    done()
  }

  #lookForBeginning(): void {
    const at = this.#held.indexOf(this.#begin)
    if (at === -1) {
      if (this.#held.length > MOST_HEAD) this.destroy(new Error(ENDLESS))
      return
    }
    this.head = this.#held.subarray(0, at).toString()
    this.#held = this.#held.subarray(at + this.#begin.length)
    this.begun = true
    this.emit('begun')
  }

  #passOn(): void {
    const at = this.#held.indexOf(this.#end)
    const open = this.#held.lastIndexOf(RECORD_SEPARATOR)
    const tail = open === -1 ? Buffer.alloc(0) : this.#held.subarray(open)
    const kept = this.#end.subarray(0, tail.length).equals(tail) ? tail.length : 0
    const passed = at === -1 ? this.#held.length - kept : at
    if (passed > 0) this.push(this.#held.subarray(0, passed))
    this.#held = this.#held.subarray(passed)
    const status =
      at === -1 ? null : /^(\d{1,3}|silence)\n/.exec(this.#held.toString('latin1', this.#end.length))
    if (status) this.status = status[1] === 'silence' ? 'silence' : Number(status[1])
  }
}
