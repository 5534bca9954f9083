import fc from 'fast-check'
import { expect, test } from 'vitest'
import { asciiControls, lastLine, messageOf, plain, quoted } from '../../../lib/base/text.ts'

test.each([
  ['\u001B[31mred\u001B[0m', 'red'],
  ['\u001B]0;title\u0007after', 'after'],
  ['two\nlines', 'two lines'],
  ['a\u202Egnp.exe', 'a gnp.exe'],
  ['\u009B31mC1', 'C1'],
  ['日本語 ✓', '日本語 ✓'],
])('%j is shown as %j', (text, shown) => {
  expect(plain(text)).toBe(shown)
})

test('no text leaves a control character or a change of direction', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(plain(text)).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]/)
    }),
  )
})

test('a long text is cut, and says so', () => {
  expect(plain('x'.repeat(300))).toBe(`${'x'.repeat(199)}…`)
  expect(quoted('-oX')).toBe('"-oX"')
})

test.each([
  ['one\ntwo\n\n', 'two'],
  ['rsync: no space\r\n---\r\n', 'rsync: no space'],
  [' 10 %\r 20 %\rfailed', 'failed'],
  [`lost${'\n'.repeat(4001)}`, undefined],
  ['', undefined],
])('the last line of %j that says something is %j', (text, line) => {
  expect(lastLine(text, 80)).toBe(line)
})

test('a last line is cut where it is too long', () => {
  expect(lastLine('a longer line', 8)).toBe('a longe…')
})

test('whatever is thrown has a message of one line', () => {
  expect(messageOf(new Error('a\nb'))).toBe('a b')
  expect(messageOf('text')).toBe('text')
})

test('JSON that is shown holds the same value, and nothing that a terminal acts on', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
      const shown = asciiControls(JSON.stringify(value))
      expect(shown).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]/)
      expect(JSON.stringify(JSON.parse(shown))).toBe(JSON.stringify(value))
    }),
  )
  expect(asciiControls('"\u009B31m"')).toBe(String.raw`"\u009b31m"`)
})
