import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { touchedTests } from './changed.ts'

const FILES = new Map([
  ['lib/model/trit.ts', 'export const x = 1'],
  ['lib/machine/probe.ts', "import { x } from '../model/trit.ts'"],
  ['lib/machine/reservations/script.ts', "const text = read('reservation.sh')"],
  ['lib/machine/reservations/reservation.sh', ''],
  ['scripts/find-minus.ts', "import { probe } from '../lib/machine/probe.ts'"],
  ['scripts/close.ts', "import { MARKS } from '../lib/machine/reservations/script.ts'"],
  ['test/lab/lab.ts', ''],
  ['test/lab/lab.test.ts', "import { openLab } from './lab.ts'"],
  ['test/lib/model/trit.test.ts', "import { x } from '../../../lib/model/trit.ts'"],
  ['test/lib/base/text.test.ts', "import { plain } from '../../../lib/base/text.ts'"],
  ['test/scripts/mesh.lab.test.ts', "import '../lab/lab.ts'; just('find-minus', '--json')"],
  ['test/scripts/cpu.alone.test.ts', "import '../lab/lab.ts'; just(`close why`)"],
])

test.each([
  [['lib/base/text.ts'], ['test/lib/base/text.test.ts']],
  [['lib/model/trit.ts'], ['test/lib/model/trit.test.ts', 'test/scripts/mesh.lab.test.ts']],
  [['lib/machine/reservations/reservation.sh'], ['test/scripts/cpu.alone.test.ts']],
  [['test/lib/base/text.test.ts'], ['test/lib/base/text.test.ts']],
  [
    ['test/lab/host.ts'],
    ['test/lab/lab.test.ts', 'test/scripts/cpu.alone.test.ts', 'test/scripts/mesh.lab.test.ts'],
  ],
  [['README.md'], []],
  [['justfile'], [...FILES.keys()].filter((path) => path.endsWith('.test.ts'))],
] as const)('a change of %j touches %j', (changed, tests) => {
  expect(new Set(touchedTests(FILES, changed))).toEqual(new Set(tests))
})

test('a change of any shell script of lib/ touches a test', () => {
  const root = join(import.meta.dirname, '..')
  const paths = ['lib', 'cli', 'scripts', 'test'].flatMap((top) =>
    readdirSync(join(root, top), { recursive: true, encoding: 'utf8' }).map((name) => join(top, name)),
  )
  const files = new Map(
    paths
      .filter((path) => /\.(?:ts|sh)$/.test(path))
      .map((path) => [path, readFileSync(join(root, path), 'utf8')]),
  )
  const scripts = [...files.keys()].filter((path) => /^lib\/.*\.sh$/.test(path))
  expect(scripts.length).toBeGreaterThan(10)
  expect(scripts.filter((path) => touchedTests(files, [path]).length === 0)).toEqual([])
})
