import { availableParallelism, totalmem } from 'node:os'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

// What a test waits for may take long on a busy machine; it ends as soon as it has come.
const expect = { poll: { timeout: 60_000 } }
const lab = { expect, testTimeout: 300_000, hookTimeout: 300_000 }
const labTests = ['test/lab/**/*.test.ts', 'test/**/*.lab.test.ts']
const aloneTests = ['test/**/*.alone.test.ts']

// A file of lab tests waits for most of its time, and its hosts take about 2 GiB at most.
const GIB = 2 ** 30
const labsAtOnce = Math.max(1, Math.min(availableParallelism() * 2, Math.floor(totalmem() / (3 * GIB))))

/** A file that takes minutes begins first: at the end it would run beside nothing. */
const LONGEST = [
  'mesh',
  'watch',
  'jobs',
  'share',
  'migrate-races',
  'migrate-moves',
  'lab',
  'torture',
  'preflight',
  'cron',
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const index = LONGEST.findIndex((name) => moduleId.includes(`/${name}.`))
      return index === -1 ? LONGEST.length : index
    }
    const usual = await super.sort(files) // oxlint-disable-line unicorn/no-array-sort -- no array's
    return usual.toSorted((a, b) => rank(a) - rank(b))
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...labTests, ...aloneTests],
          // Unless told, one CPU is left to vitest itself, which hardly needs it.
          maxWorkers: availableParallelism(),
          testTimeout: 240_000,
          expect,
        },
      },
      {
        // Real namespaces, daemons and processes. Files run side by side, each with a lab of its own.
        test: {
          ...lab,
          name: 'lab',
          include: labTests,
          maxWorkers: labsAtOnce,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // What measures shares of CPU, or needs most of them: nothing runs beside it.
        test: {
          ...lab,
          name: 'alone',
          include: aloneTests,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
