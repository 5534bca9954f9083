import { randomBytes } from 'node:crypto'
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Unframe } from '../../../../lib/work/jobs/frame.ts'

const MARK = randomBytes(16).toString('hex')

async function unframed(bytes: Buffer, size: number) {
  const frame = new Unframe(MARK)
  const passed: Buffer[] = []
  frame.on('data', (chunk: Buffer) => passed.push(chunk))
  for (let at = 0; at < bytes.length; at += size) frame.write(bytes.subarray(at, at + size))
  frame.end()
  await new Promise((resolve) => frame.on('end', resolve))
  return { passed: Buffer.concat(passed), status: frame.status, head: frame.head }
}

test('what stands in the frame comes through to the last byte, however it is cut', async () => {
  // Parts of a frame among it.
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    fc
      .constantFrom('\u001E', `\u001E${MARK}`, `\u001E${MARK} en`, `\n${MARK} begin\n`, '\n')
      .map((each) => Buffer.from(each)),
  )
  const content = fc.array(piece, { maxLength: 8 }).map((pieces) => Buffer.concat(pieces))
  await fc.assert(
    fc.asyncProperty(
      content,
      fc.integer({ min: 0, max: 255 }),
      fc.integer({ min: 1, max: 60 }),
      async (body, code, size) => {
        const whole = [`hello\n${MARK} begin\n`, body, `\u001E${MARK} end ${code}\nbye`].map((part) =>
          Buffer.from(part),
        )
        expect(await unframed(Buffer.concat(whole), size)).toEqual({
          passed: body,
          status: code,
          head: 'hello',
        })
      },
    ),
  )
})

test('what can not be the end is not held back', async () => {
  const frame = new Unframe(MARK)
  frame.write(`\n${MARK} begin\n`)
  frame.write('one\n')
  expect(String(frame.read())).toBe('one\n')
  frame.write(`two\u001E${MARK.slice(0, 5)}`)
  expect(String(frame.read())).toBe('two')
  frame.write('x')
  expect(String(frame.read())).toBe(`\u001E${MARK.slice(0, 5)}x`)
})

test('without an end there is no status, and what has come is not lost', async () => {
  const cut = `\n${MARK} begin\nhalf\u001E${MARK} end 1`
  expect(await unframed(Buffer.from(cut), 7)).toMatchObject({
    passed: Buffer.from(`half\u001E${MARK} end 1`),
    status: undefined,
  })
  expect(await unframed(Buffer.from('Permission denied'), 5)).toMatchObject({
    head: 'Permission denied',
    status: undefined,
  })
})

test('a machine that prints without end instead of an answer is not listened to', async () => {
  const frame = new Unframe(MARK)
  frame.write(Buffer.alloc(1_000_001))
  await expect(text(frame)).rejects.toThrow('without end')
})
