import { expect, test } from 'vitest'
import { bytesText } from '../../../lib/base/bytes.ts'
import { eventLine } from '../../../lib/show/receiving.ts'
import { transferText } from '../../../lib/share/transfer-text.ts'

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [102_348, '99.9 KiB'],
  [120 * 2 ** 20, '120 MiB'],
  [2 ** 30 - 1, '1.0 GiB'],
  [3 * 2 ** 60, '3072 PiB'],
])('%i bytes are %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text)
})

test.each([
  [{ bytes: 0, of: 1024, seconds: 0 }, '0 % of 1.0 KiB, 0 B/s'],
  [{ bytes: 512, of: 1024, seconds: 2 }, '50 % of 1.0 KiB, 256 B/s, 2 s left'],
  [{ bytes: 0, of: 0, seconds: 0 }, '100 % of 0 B, 0 B/s'],
])('a transfer %o reads %s', (moved, text) => {
  expect(transferText(moved)).toBe(text)
})

test('what a sender calls itself and its files acts on no terminal', () => {
  const sender = { from: '\u001B[2Jme\u202E', address: '100.64.0.2' }
  const lines = [
    eventLine({ event: 'message', ...sender, text: 'a\nb\u001B]0;x\u0007' }),
    eventLine({ event: 'failed', ...sender, name: '\u009Bx', reason: '\r' }),
    eventLine({ event: 'stored', ...sender, name: 'x', path: '/in/\u202Ex', bytes: 1, sha256: '' }),
  ]
  for (const { line } of lines) expect(line).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u202E]/)
  expect(lines.map(({ data }) => data)).toEqual([true, false, true])
})
