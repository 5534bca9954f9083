import { Writable } from 'node:stream'

/** Keeps the last bytes that are written to it, and lets the others go. */
export class Tail extends Writable {
  /** Whether something was let go. */
  truncated = false
  readonly #most: number
  #kept = Buffer.alloc(0)

  constructor(mostBytes: number) {
    super()
    this.#most = mostBytes
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const all = Buffer.concat([this.#kept, chunk])
    this.truncated ||= all.length > this.#most
    this.#kept = all.subarray(Math.max(0, all.length - this.#most))
    done()
  }

  /** As UTF-8; a character whose beginning was let go is left out. */
  text(): string {
    const begin = this.truncated ? this.#kept.findIndex((byte) => (byte & 0xc0) !== 0x80) : 0
    return this.#kept.subarray(Math.max(0, begin)).toString('utf8')
  }
}
