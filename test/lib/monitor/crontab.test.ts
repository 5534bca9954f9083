import fc from 'fast-check'
import { expect, test } from 'vitest'
import { blockOf, install, remove, type Crontab } from '../../../lib/monitor/crontab.ts'

const LINE = '*/5 * * * * node-trit'
const OTHER = '*/9 * * * * node-trit --log=/x'
const BEGIN = '# BEGIN resource-sharing'
const END = '# END resource-sharing'

test.each<[string, Crontab]>([
  ['none', undefined],
  ['an empty one', ''],
  ['only a newline', '\n'],
  ['a line', '0 4 * * * backup\n'],
  ['no newline at its end', '0 4 * * * backup'],
  ['Windows line ends', '0 4 * * * backup\r\n# mine\r\n'],
  ['Windows line ends but at its end', '0 4 * * * backup\r\n# mine\r'],
  ['blank lines at its end', '0 4 * * * backup\n\n\n'],
  ['names that look like the markers', '# BEGIN resource-sharing-more\n#END resource-sharing\n'],
])('removing gives back what was there before: %s', (_, before) => {
  const installed = install(before, [LINE])
  expect(installed).toContain(`\n${LINE}\n${END}\n`)
  expect(remove(installed)).toBe(before)
})

test('any crontab comes back to the byte, also after the settings were changed, and has one block meanwhile', () => {
  const piece = fc.oneof(
    fc.constantFrom('\n', '\r\n', '\n\n', '# BEGIN', 'resource-sharing', ' (there was no crontab)', '\t'),
    fc.string({ unit: 'binary' }),
  )
  const crontab = fc.option(
    fc.array(piece).map((pieces) => pieces.join('')),
    { nil: undefined },
  )
  fc.assert(
    fc.property(crontab, fc.array(fc.constantFrom(LINE, OTHER), { minLength: 1 }), (before, changes) => {
      let installed: Crontab = before
      for (const line of changes) installed = install(installed, [line])
      expect(blockOf(installed)?.slice(1)).toEqual([changes.at(-1), END])
      expect(installed?.split(END)).toHaveLength(2)
      expect(install(installed, [changes.at(-1) ?? ''])).toBe(installed)
      expect(remove(installed)).toBe(before)
    }),
  )
})

test('what a person has written around the block since stays', () => {
  const installed = install('before', [LINE])
  expect(remove(`${installed}after\n`)).toBe('before\nafter\n')
  expect(remove(`new\n${install(undefined, [LINE])}`)).toBe('new\n')
  const moved = install(`above\n${install(undefined, [LINE])}below`, [OTHER])
  expect(moved).toBe(`above\n${BEGIN} (there was no crontab)\n${OTHER}\n${END}\nbelow`)
  expect(remove(moved)).toBe('above\nbelow')
})

test('an editor that has changed the line ends does not hide the block', () => {
  const edited = install('0 4 * * * backup\n', [LINE]).replaceAll('\n', '\r\n')
  expect(blockOf(edited)).toEqual([BEGIN, LINE, END])
  expect(remove(edited)).toBe('0 4 * * * backup\r\n')
})

test.each([
  ['the end is missing', `${BEGIN}\n${LINE}\n0 4 * * * backup\n`],
  ['the beginning is missing', `${LINE}\n${END}\n`],
  ['the end comes first', `${END}\n${LINE}\n${BEGIN}\n`],
  ['there are two', `${BEGIN}\n${END}\n${BEGIN}\n${END}\n`],
  ['one is in another', `${BEGIN}\n${BEGIN} (there was no crontab)\n${END}\n${END}\n`],
])('a damaged block is refused: %s', (_, crontab) => {
  for (const act of [() => install(crontab, [LINE]), () => remove(crontab), () => blockOf(crontab)])
    expect(act).toThrow(/not one block: mend it with `crontab -e`; nothing was changed$/)
})
