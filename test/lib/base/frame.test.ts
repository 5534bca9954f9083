import fc from 'fast-check'
import { expect, test } from 'vitest'
import { frameBegin, frameEnd, readFrame } from '../../../lib/base/frame.ts'

const NONCE = '0123456789abcdef0123456789abcdef'
const whole = (body: string, status: string) => `${frameBegin(NONCE)}${body}${frameEnd(NONCE)}${status}\n`

test('whatever is printed around a frame, its body comes out of it as it was', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), fc.nat(255), (before, body, after, status) => {
      const output = `${before}${whole(body, ` ${status}`)}${after}`
      expect(readFrame(output, NONCE)).toEqual({ state: 'whole', body, status })
    }),
  )
})

test.each([
  ['a frame without a status', whole('x', ''), { state: 'whole', body: 'x', status: undefined }],
  ['a frame at the very beginning', whole('x', ' 0').slice(1), { state: 'whole', body: 'x', status: 0 }],
  [
    'a body without a line',
    `${NONCE} begin\n${NONCE} end\n`,
    { state: 'whole', body: '', status: undefined },
  ],
  ['a body that shows an end', whole(`x\n${NONCE} end 1\ny`, ' 2'), { state: 'whole', status: 2 }],
  ['another frame', whole('x', ' 0').replaceAll('0123', '3210'), { state: 'absent' }],
  ['nothing', '', { state: 'absent' }],
  ['a beginning in the middle of a line', whole('x', ' 0').replace('\n', 'y'), { state: 'absent' }],
  ['a status that is none', whole('x', ' 1234'), { state: 'cut short' }],
])('%s is read as what it is', (_, output, expected) => {
  expect(readFrame(output, NONCE)).toMatchObject(expected)
})

test('a frame that lacks its last bytes, however few, is cut short: 12 must not pass for 127', () => {
  const output = whole('x', ' 127')
  for (let length = frameBegin(NONCE).length; length < output.length; length += 1)
    expect(readFrame(output.slice(0, length), NONCE), output.slice(0, length)).toEqual({ state: 'cut short' })
})
