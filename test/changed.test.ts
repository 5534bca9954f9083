import { expect, test } from 'vitest'
import { touchedTests } from './changed.ts'

const FILES = new Map([
  ['lib/trit.ts', 'export const x = 1'],
  ['lib/node/probe.ts', "import { x } from '../trit.ts'"],
  ['lib/receiver/script.ts', "const text = read('marks.sh')"],
  ['lib/receiver/marks.sh', ''],
  ['scripts/find-minus.ts', "import { probe } from '../lib/node/probe.ts'"],
  ['scripts/close.ts', "import { MARKS } from '../lib/receiver/script.ts'"],
  ['test/lab/lab.ts', ''],
  ['test/lab/lab.test.ts', "import { openLab } from './lab.ts'"],
  ['test/lib/trit.test.ts', "import { x } from '../../lib/trit.ts'"],
  ['test/lib/text.test.ts', "import { plain } from '../../lib/text.ts'"],
  ['test/scripts/mesh.lab.test.ts', "import '../lab/lab.ts'; just('find-minus', '--json')"],
  ['test/scripts/cpu.alone.test.ts', "import '../lab/lab.ts'; just(`close why`)"],
])

test.each([
  [['lib/text.ts'], ['test/lib/text.test.ts']],
  [['lib/trit.ts'], ['test/lib/trit.test.ts', 'test/scripts/mesh.lab.test.ts']],
  [['lib/receiver/marks.sh'], ['test/scripts/cpu.alone.test.ts']],
  [['test/lib/text.test.ts'], ['test/lib/text.test.ts']],
  [
    ['test/lab/host.ts'],
    ['test/lab/lab.test.ts', 'test/scripts/cpu.alone.test.ts', 'test/scripts/mesh.lab.test.ts'],
  ],
  [['README.md'], []],
  [['justfile'], [...FILES.keys()].filter((path) => path.endsWith('.test.ts'))],
] as const)('a change of %j touches %j', (changed, tests) => {
  expect(new Set(touchedTests(FILES, changed))).toEqual(new Set(tests))
})
