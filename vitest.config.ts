import { defineConfig } from 'vitest/config'

// What a test waits for may take long on a busy machine; it ends as soon as it has come.
const expect = { poll: { timeout: 20_000 } }
const labTests = ['test/lab/**/*.test.ts', 'test/**/*.lab.test.ts']

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: labTests,
          testTimeout: 30_000,
          expect,
        },
      },
      {
        // Real namespaces, daemons and processes: one file after the other, with deadlines instead of expectations.
        test: {
          name: 'lab',
          include: labTests,
          expect,
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
