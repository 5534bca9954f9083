import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..')

/** The floors of the house, the lowest first: a file imports from its own floor and from those below. */
const FLOORS = [
  'lib/base',
  'lib/model',
  'lib/machine',
  'lib/mesh',
  'lib/monitor',
  'lib/share',
  'lib/work',
  'verbs',
  'lib/show',
  'cli',
  'scripts',
]

/** `[importer, imported]`, as paths from the root: every import of every source, types too. */
function imports(): [string, string][] {
  return ['lib', 'verbs', 'cli', 'scripts'].flatMap((top) =>
    readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => {
        const path = join(top, name)
        const text = readFileSync(join(ROOT, path), 'utf8')
        return [...text.matchAll(/\b(?:from|import\()\s*'(\.[^']+)'/g)].map(
          ([, to = '']): [string, string] => [path, normalize(join(dirname(path), to))],
        )
      }),
  )
}

const ALL = imports()
const floorOf = (path: string) => FLOORS.findIndex((floor) => path.startsWith(`${floor}/`))

test('every source stands on a floor', () => {
  expect(ALL.length).toBeGreaterThan(500)
  expect(ALL.flat().filter((path) => floorOf(path) === -1)).toEqual([])
})

test('no import runs upward', () => {
  expect(ALL.filter(([from, to]) => floorOf(to) > floorOf(from))).toEqual([])
})

test('folders form no ring', () => {
  const edges = new Map<string, Set<string>>()
  for (const [from, to] of ALL) {
    const [at, next] = [dirname(from), dirname(to)]
    if (at !== next) edges.set(at, (edges.get(at) ?? new Set()).add(next))
  }
  // Folders that nothing is left below, floor by floor: what remains at the end leads back to itself.
  let left = [...edges.keys()]
  for (let before = -1; before !== left.length;) {
    before = left.length
    left = left.filter((folder) => [...(edges.get(folder) ?? [])].some((to) => left.includes(to)))
  }
  expect(left).toEqual([])
})
