import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..')
const page = readFileSync(join(ROOT, 'docs/messages.md'), 'utf8')
const [, measurement = '', work = '', moves = '', servers = ''] = page.split('\n## ')
const [ofServers = '', ofFiles = ''] = servers.split('\nWhat a file ')

/** The sources below a folder, and what ssh itself says. */
function sources(folder: string): string {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
  const files = names.filter((name) => /\.(?:ts|sh)$/.test(name))
  return files.map((name) => readFileSync(join(ROOT, folder, name), 'utf8')).join('\n')
}
const all = sources('lib') + sources('verbs')
const SSH =
  /^(?:Connection refused|No route to host|Could not resolve hostname|Connection closed by UNKNOWN port|Permission denied \(publickey\)|Too many authentication failures|Read-only file system)$/

/** The cells of a column of a table, without its head. */
function column(table: string, index: number): string[] {
  const rows = table.split('\n').filter((line) => line.startsWith('| '))
  return rows.slice(2).map((row) => row.split('|')[index + 1]?.trim() ?? '')
}

test('what docs/messages.md calls a message is one', () => {
  const cells = [column(measurement, 1), column(work, 0), column(ofServers, 1), column(ofFiles, 0)].flat()
  const messages = cells.flatMap((cell) => cell.split('; '))
  // Capitals stand for something else; what is between them, and between colons, is said just so.
  const parts = messages.flatMap((text) => text.split(/[:,] |"?\b(?:NAME|TEXT|ADDRESS|PID|N)\b"?(?: s$)?/))
  const words = parts.map((part) => part.replaceAll(/^[ ()]+|[ (]+$/g, '')).filter((part) => part !== '')
  // The client of ssh adds to some what differs from time to time.
  const isSaid = (part: string) => SSH.test(part) || all.includes(part.slice(0, 40))
  expect(words.filter((part) => !isSaid(part))).toEqual([])
  expect(words.length).toBeGreaterThan(25)
})

test('what a server that knows the mesh is said to have done is in docs/messages.md', () => {
  const said = [
    ...(sources('lib/mesh') + sources('verbs/watch')).matchAll(
      /(?:\b(?:failure|says|(?:config|this)\.wrong)\(\s*['`]|\b(?:NATS|Prometheus) at \$\{[\w.#]+\} |return\s+[`'](?=shows a|wants a|speaks no|ends the))([^`'$:]+)/g,
    ),
  ].map(([, text = '']) => text.replace(/[ (]+$/, ''))
  expect(said.length).toBeGreaterThan(25)
  const told = servers + measurement
  expect(said.filter((text) => !told.includes(text.slice(0, 40)))).toEqual([])
})

test('every reason for which a process does not move is in docs/messages.md, and no other', () => {
  const preflight = sources('lib/work/migrate/preflight') + sources('lib/work/migrate/facts')
  const forms = [
    /code(?:: string)? ?[:=] '([a-z-]+)'/g,
    /\brefusal\(\s*(?:source|'\w+'),\s*'([a-z-]+)'/g,
    /\brefused\(\s*'([a-z-]+)'/g,
    /\badd\(\s*'([a-z-]+)'/g,
    /\breturn '(first-process|kernel-thread|own-session)'/g,
    /'(other-user|sshd)'/g,
  ]
  const families = ['tcp', 'udp', 'raw', 'unknown'].map((family) => `${family}-socket`)
  const found = new Set([
    ...families,
    ...forms.flatMap((form) => [...preflight.matchAll(form)].map(([, code = '']) => code)),
  ])
  const told = column(moves, 0).map((cell) => cell.replaceAll('`', ''))
  expect(new Set(told)).toEqual(found)
  expect(told).toHaveLength(found.size)
})

test('what the forms for issues ask for can be run, and every form asks for the machines', () => {
  const folder = join(ROOT, '.github/ISSUE_TEMPLATE')
  const justfile = readFileSync(join(ROOT, 'justfile'), 'utf8')
  for (const name of ['bug.yml', 'idea.yml']) {
    const form = readFileSync(join(folder, name), 'utf8')
    const commands = [...form.matchAll(/\bjust ([a-z-]+)(?: [A-Z]+)?( --json)/g)]
    const recipes = commands.map(([, recipe = '']) => recipe)
    expect([name, ...recipes]).toEqual(expect.arrayContaining([name, 'doctor', 'mesh-balance']))
    expect(recipes.filter((recipe) => !justfile.includes(`\n${recipe} *args:`))).toEqual([])
    for (const path of form.match(/\bdocs\/[\w.-]+\.md\b/g) ?? [])
      expect(readFileSync(join(ROOT, path), 'utf8')).not.toBe('')
  }
})

const architecture = ['docs/architecture.md', 'docs/architecture.svg'].map((path) =>
  readFileSync(join(ROOT, path), 'utf8'),
)

test('what docs/architecture.md and its picture name is there', () => {
  const paths = architecture.flatMap((text) => text.match(/\b(?:lib|verbs|test)\/[\w/.-]*\w\/?/g) ?? [])
  expect(paths.length).toBeGreaterThan(20)
  expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
})

test('the floors of docs/architecture.md are those that are looked at', () => {
  const list = /FLOORS = \[(.*?)\]/s.exec(readFileSync(join(ROOT, 'test/direction.test.ts'), 'utf8'))?.[1]
  const floors = [...(list ?? '').matchAll(/'([\w/]+)'/g)].map(([, floor]) => floor)
  const line = /From the top: (.*?)\./s.exec(architecture[0] ?? '')?.[1] ?? ''
  expect([...line.matchAll(/`([\w/]+)`/g)].map(([, floor]) => floor).toReversed()).toEqual(floors)
})
