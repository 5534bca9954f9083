import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Unframed } from '../../../../lib/work/migrate/transport.ts'

const nonce = 'ab'.repeat(16)

async function through(bytes: Buffer, cuts: number[]) {
  let moved = 0
  const unframed = new Unframed(nonce, (more) => {
    moved += more
  })
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end))
  const source = Readable.from(chunks.filter(({ length }) => length > 0))
  unframed.on('error', () => undefined)
  const taken = await buffer(source.pipe(unframed)).catch(() => undefined)
  return { taken, moved, status: unframed.status }
}

test('what a framed script prints comes out as it went in, however it is cut, and nothing around it', async () => {
  const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
  await fc.assert(
    fc.asyncProperty(bytes, fc.array(fc.nat(1000), { maxLength: 20 }), async (body, cuts) => {
      const sent = Buffer.concat([
        Buffer.from(`hello\n\n${nonce} begin\n`),
        body,
        Buffer.from(`\n${nonce} end 0\n`),
      ])
      const { taken, status } = await through(sent, cuts)
      expect(status).toBe(0)
      expect(taken).toEqual(body)
    }),
  )
})

test.each([
  ['breaks off', `\n${nonce} begin\nhalf`, undefined],
  ['ends in the middle of its end', `\n${nonce} begin\nhalf\n${nonce} end`, undefined],
  ['never begins', 'bye\n', undefined],
  ['fails', `\n${nonce} begin\nhalf\n${nonce} end 7\n`, 7],
])('what %s is not taken for the whole', async (_, text, status) => {
  expect(await through(Buffer.from(text), [])).toMatchObject({ taken: undefined, status })
})
