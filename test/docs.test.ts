import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..')
const page = readFileSync(join(ROOT, 'docs/messages.md'), 'utf8')
const [, measurement = '', work = '', moves = ''] = page.split('\n## ')

/** The sources below a folder, and what ssh itself says. */
function sources(folder: string): string {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
  const files = names.filter((name) => /\.(?:ts|sh)$/.test(name))
  return files.map((name) => readFileSync(join(ROOT, folder, name), 'utf8')).join('\n')
}
const all = sources('lib')
const SSH =
  /^(?:Connection refused|No route to host|Could not resolve hostname|Connection closed by UNKNOWN port|Permission denied \(publickey\)|Too many authentication failures|Read-only file system)$/

/** The cells of a column of a table, without its head. */
function column(table: string, index: number): string[] {
  const rows = table.split('\n').filter((line) => line.startsWith('| '))
  return rows.slice(2).map((row) => row.split('|')[index + 1]?.trim() ?? '')
}

test('what docs/messages.md calls a message is one', () => {
  const messages = [...column(measurement, 1), ...column(work, 0)].flatMap((cell) => cell.split('; '))
  // Capitals stand for something else; what is between them, and between colons, is said just so.
  const parts = messages.flatMap((text) => text.split(/[:,] |"?\b(?:NAME|TEXT|ADDRESS|PID|N)\b"?(?: s$)?/))
  const words = parts.map((part) => part.replaceAll(/^[ ()]+|[ (]+$/g, '')).filter((part) => part !== '')
  // The client of ssh adds to some what differs from time to time.
  const isSaid = (part: string) => SSH.test(part) || all.includes(part.slice(0, 40))
  expect(words.filter((part) => !isSaid(part))).toEqual([])
  expect(words.length).toBeGreaterThan(25)
})

test('every reason for which a process does not move is in docs/messages.md, and no other', () => {
  const preflight = sources('lib/migrate/preflight') + sources('lib/migrate/facts')
  const forms = [
    /code(?:: string)? ?[:=] '([a-z-]+)'/g,
    /\brefusal\(\s*'\w+',\s*'([a-z-]+)'/g,
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
