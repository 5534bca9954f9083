import { join, normalize, sep } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { numbered, OWN_PREFIX, safeSegments } from '../../../../../lib/share/localsend/receiver/names.ts'

test.each([
  ['../../x', ['x']],
  ['/etc/passwd', ['etc', 'passwd']],
  ['a/./b//c', ['a', 'b', 'c']],
  [String.raw`C:\x`, ['x']],
  [String.raw`..\..\x`, ['x']],
  ['C:/x', ['x']],
  ['nul', ['_nul']],
  ['COM1.txt', ['_COM1.txt']],
  ['console', ['console']],
  ['a\0b\n\u009Bc', ['a_b__c']],
  ['-rf', ['-rf']],
  ['..', ['unnamed']],
  ['///', ['unnamed']],
  ['...', ['...']],
  ['naïve/日本語 😀.txt', ['naïve', '日本語 😀.txt']],
  ['\uD800', ['\uFFFD']],
  [`${OWN_PREFIX}1-ff.part`, [`_${OWN_PREFIX}1-ff.part`]],
  [`${'é'.repeat(150)}.txt`, [`${'é'.repeat(125)}.txt`]],
  ['x'.repeat(300), ['x'.repeat(255)]],
])('%j becomes %j', (name, segments) => {
  expect(safeSegments(name)).toEqual(segments)
})

const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('..', '.', '/', '\\', '\0', 'C:', 'con', '~', '-rf', '\uD800', 'é'.repeat(200), '//'),
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''))

test('whatever a name is, it stays in the folder, and every part of it is one that a disk can hold', () => {
  fc.assert(
    fc.property(hostile, (name) => {
      const segments = safeSegments(name)
      expect(segments.length).toBeGreaterThan(0)
      for (const segment of segments) {
        expect(segment).not.toMatch(/[/\\\u0000-\u001F\u007F-\u009F]/)
        expect(['', '.', '..']).not.toContain(segment)
        expect(Buffer.byteLength(segment)).toBeLessThanOrEqual(255)
      }
      const path = join('/root/in', ...segments)
      expect(normalize(path).startsWith(`/root/in${sep}`)).toBe(true)
      expect(Buffer.byteLength(path)).toBeLessThan(4096)
    }),
    { numRuns: 2000 },
  )
})

test.each([
  ['x.txt', 0, 'x.txt'],
  ['x.txt', 1, 'x (1).txt'],
  ['x', 12, 'x (12)'],
  ['.bashrc', 1, '.bashrc (1)'],
  ['a.tar.gz', 2, 'a.tar (2).gz'],
])('%s as number %i is %s', (segment, count, expected) => {
  expect(numbered(segment, count)).toBe(expected)
})

test('a numbered name is another name of at most 255 bytes', () => {
  fc.assert(
    fc.property(hostile, fc.integer({ min: 1, max: 9999 }), (name, count) => {
      const segment = safeSegments(name).at(-1) ?? ''
      expect(numbered(segment, count)).not.toBe(segment)
      expect(Buffer.byteLength(numbered(segment, count))).toBeLessThanOrEqual(255)
    }),
  )
})
