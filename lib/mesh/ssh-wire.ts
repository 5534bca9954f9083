// Numbers and strings as ssh writes them (RFC 4251, section 5), and messages that begin with their length.

/** Numbers of 32 bits, one after the other. */
export function u32(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length)
  numbers.forEach((number, index) => bytes.writeUInt32BE(number, 4 * index))
  return bytes
}

/** Bytes, or a text as UTF-8, after their length. */
export function string(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([u32(bytes.length), bytes])
}

/** Reads the fields of a message in their order; each throws a RangeError where the message ends before the field. */
export class Fields {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#moveBy(1))
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#moveBy(4))
  }

  string(): Buffer {
    const length = this.u32()
    const from = this.#moveBy(length)
    if (this.#at > this.#bytes.length) throw new RangeError('the message is shorter than its string')
    return this.#bytes.subarray(from, this.#at)
  }

  #moveBy(bytes: number): number {
    const from = this.#at
    this.#at += bytes
    return from
  }
}

/** Cuts what comes in, in parts of any length, into the messages that it is made of. */
export class Messages {
  readonly #most: number
  #rest = Buffer.alloc(0)

  /** @param most bytes of the longest message that is taken */
  constructor(most: number) {
    this.#most = most
  }

  /**
   * The messages that are whole with this part, without their lengths.
   *
   * @throws RangeError where one is longer than is taken
   */
  *of(part: Buffer): Generator<Buffer, void> {
    this.#rest = Buffer.concat([this.#rest, part])
    while (this.#rest.length >= 4) {
      const end = 4 + this.#rest.readUInt32BE(0)
      if (end > 4 + this.#most) throw new RangeError(`a message of ${end - 4} bytes`)
      if (this.#rest.length < end) return
      const message = this.#rest.subarray(4, end)
      this.#rest = this.#rest.subarray(end)
      yield message
    }
  }
}
