import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mustTell, tell } from '../../../../lib/mesh/remote/run.ts'
import { answerOf, framedScript } from '../../../../lib/mesh/remote/script.ts'
import { Connections } from '../../../../lib/mesh/connections.ts'

const here = { name: 'n1' }
const reach = { connections: await Connections.open(), connectMs: 1000 }
const limits = { timeoutMs: 10_000, signal: new AbortController().signal }

test('a value reaches a script byte for byte, whatever it holds, and is never run', async () => {
  const value = fc.string({ unit: 'binary', maxLength: 30 }).map((text) => text.replaceAll('\0', ''))
  await fc.assert(
    fc.asyncProperty(value, async (text) => {
      const said = await tell(
        here,
        { body: 'printf %s "$VALUE"', values: { VALUE: text }, as: 'self' },
        reach,
        limits,
      )
      expect(said).toMatchObject({ known: true, status: 0, output: Buffer.from(text).toString() })
    }),
    { numRuns: 40, examples: [["$(touch /tmp/x)'`\n\n"], ['\\0101 %s\t\u001B[31m']] },
  )
})

test('what follows the script is its input, to the last byte', async () => {
  const input = Array.from({ length: 200_000 }, (_, index) => String.fromCodePoint(index % 256)).join('')
  const said = await tell(here, { body: 'wc -c; exit 3', as: 'self', input }, reach, limits)
  expect(said).toMatchObject({ known: true, status: 3, output: '200000\n' })
})

test('an answer that is cut short, or that never came, is not known', async () => {
  const said = await tell(here, { body: 'echo half; kill -9 $$', as: 'self' }, reach, limits)
  expect(said.known).toBe(false)
  const late = await tell(here, { body: 'sleep 30', as: 'self' }, reach, { ...limits, timeoutMs: 100 })
  expect(late).toEqual({ known: false, reason: expect.stringMatching(/^no answer within 0\.\d s$/) })
  await expect(
    mustTell(here, { body: 'echo no room >&2; false', as: 'self' }, reach, limits, 'it'),
  ).rejects.toThrow('n1: it failed: no room')
})

test('what a login shell prints before and after is not the answer', () => {
  const { nonce } = framedScript('', {}, 'self')
  const answer = `hello\nx end 0\n\n${nonce} begin\ntwo\nlines\n${nonce} end 5\nbye ${'f'.repeat(32)} end 0\n`
  expect(answerOf(answer, nonce)).toEqual({ output: 'two\nlines', status: 5 })
  expect(answerOf(answer.replace(`${nonce} end`, 'end'), nonce)).toBeUndefined()
})
