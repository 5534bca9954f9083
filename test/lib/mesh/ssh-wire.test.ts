import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Fields, Messages, string, u32 } from '../../../lib/mesh/ssh-wire.ts'

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array))

test('messages come out as they went in, in whatever parts they arrive', () => {
  const anything = [fc.array(bytes, { maxLength: 6 }), fc.array(fc.nat(30), { maxLength: 20 })] as const
  fc.assert(
    fc.property(...anything, (sent, cuts) => {
      const messages = new Messages(40)
      let rest = Buffer.concat(sent.map(string))
      const heard: Buffer[] = []
      for (const cut of [...cuts, rest.length]) {
        const part = Buffer.from(rest.subarray(0, cut))
        heard.push(...[...messages.of(part)].map((message) => Buffer.from(message)))
        // What is kept of a part must not change when its buffer is used again.
        part.fill(0xff)
        rest = rest.subarray(cut)
      }
      expect(heard).toEqual(sent)
    }),
  )
})

test('a message that is longer than any is not waited for', () => {
  expect(() => [...new Messages(40).of(u32(41))]).toThrow(RangeError)
  expect([...new Messages(40).of(u32(40))]).toEqual([])
})

test('fields are read as they were written', () => {
  fc.assert(
    fc.property(fc.nat(255), fc.nat(0xffff_ffff), bytes, (byte, number, text) => {
      const fields = new Fields(Buffer.concat([Buffer.of(byte), u32(number), string(text), string('n1')]))
      const read = [fields.byte(), fields.u32(), fields.string(), fields.string().toString()]
      expect(read).toEqual([byte, number, text, 'n1'])
      expect(() => fields.byte()).toThrow(RangeError)
    }),
  )
})

test('a string that says that it is longer than its message is none', () => {
  expect(() => new Fields(Buffer.concat([u32(5), Buffer.from('four')])).string()).toThrow(RangeError)
})
