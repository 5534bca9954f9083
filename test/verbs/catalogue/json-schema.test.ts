import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { VERBS } from '../../../verbs/catalogue/catalogue.ts'
import { markdownTable } from '../../markdown-table.ts'
import { documented, keysOf, schemaFileOf, schemaOf } from '../../../verbs/catalogue/json-schema.ts'

// After a change of a schema: npx vitest run --project unit json-schema -u
const ROOT = join(import.meta.dirname, '../../..')
const [BEGIN, END] = ['<!-- begin of the table of documents -->', '<!-- end of the table of documents -->']

test.each(documented(VERBS))('docs/json-schema has what $recipe prints', async (verb) => {
  const text = `${JSON.stringify(schemaOf(verb), null, 2)}\n`
  await expect(text).toMatchFileSnapshot(join(ROOT, 'docs/json-schema', schemaFileOf(verb)))
})

test("README's table of documents is made of the schemas", async () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const [before = '', rest = ''] = readme.split(BEGIN)
  const after = rest.split(END)[1]
  expect(after, 'README.md has the marks around its table').toBeDefined()
  const written = `${before}${BEGIN}\n\n${table().join('\n')}\n\n${END}${after}`
  await expect(written).toMatchFileSnapshot(join(ROOT, 'README.md'))
})

function table(): string[] {
  const rows = documented(VERBS).map((verb) => [
    `[\`${verb.recipe}\`](docs/json-schema/${schemaFileOf(verb)})`,
    keysOf(schemaOf(verb)),
  ])
  return markdownTable([['`just … --json`', 'prints'], ...rows])
}

describe('keysOf', () => {
  test('an optional key has a question mark, members of a union are told one after the other', () => {
    const one = { properties: { a: {}, b: {} }, required: ['a'] }
    expect(keysOf(one)).toBe('`{ a, b? }`')
    expect(keysOf({ anyOf: [one, { properties: { busy: {} }, required: ['busy'] }] })).toBe(
      '`{ a, b? }` or `{ busy }`',
    )
  })
})
