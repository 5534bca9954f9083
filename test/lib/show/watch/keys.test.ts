import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeyReader, type Key } from '../../../../lib/show/watch/keys.ts'

const named = (name: string) => ({ kind: 'key', name })
const typed = (char: string) => ({ kind: 'char', char })

test.each<[string, string, unknown[]]>([
  ['letters', 'jk?', [typed('j'), typed('k'), typed('?')]],
  ['a wide character', '漢', [typed('漢')]],
  ['arrows', '\u001B[A\u001B[B\u001BOC\u001B[1;5D', ['up', 'down', 'right', 'left'].map(named)],
  ['pages', '\u001B[5~\u001B[6~\u001B[H\u001B[4~', ['page-up', 'page-down', 'home', 'end'].map(named)],
  [
    'control keys',
    '\r\u007F\u0003\u001A\u000C',
    ['enter', 'backspace', 'interrupt', 'suspend', 'redraw'].map(named),
  ],
  ['the wheel', '\u001B[<64;3;4M\u001B[<65;3;4M', [named('wheel-up'), named('wheel-down')]],
  ['a click and its end', '\u001B[<0;3;4M\u001B[<0;3;4m', [{ kind: 'click', row: 3 }]],
  ['what is pasted', '\u001B[200~xy\n\u001B[201~q', [{ kind: 'paste', text: 'xy\n' }, typed('q')]],
  ['what a terminal has', '\u001B[?2026;2$y', [{ kind: 'mode', mode: 2026, has: true }]],
  ['what it has not', '\u001B[?2026;0$y', [{ kind: 'mode', mode: 2026, has: false }]],
  ['a key that has no meaning here', '\u001B[15~\u001B[Zq', [typed('q')]],
  ['Escape, and a letter before anybody looked', '\u001B/n', [named('escape'), typed('/'), typed('n')]],
  ['Escape, and another key at once', '\u001B\u001B[A', [named('escape'), named('up')]],
])('%s', (_, text, keys) => {
  expect(new KeyReader().feed(text)).toEqual(keys)
  // However a terminal's sequences are cut into pieces.
  const reader = new KeyReader()
  expect(Array.from(text).flatMap((piece) => reader.feed(piece))).toEqual(keys)
})

test('an Escape is one when nothing follows', () => {
  const reader = new KeyReader()
  expect(reader.feed('\u001B')).toEqual([])
  expect(reader.waits).toBe(true)
  expect(reader.flush()).toEqual([named('escape')])
  expect(reader.feed('q')).toEqual([typed('q')])
})

test('no input makes it hang or remember without end', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 20 })), (pieces) => {
      const reader = new KeyReader()
      const keys: Key[] = pieces.flatMap((piece) => reader.feed(piece.replaceAll('200~', '')))
      expect(keys.length).toBeLessThanOrEqual(pieces.join('').length)
      reader.flush()
      expect(reader.waits).toBe(false)
    }),
  )
})
