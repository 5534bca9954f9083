import { defineConfig } from 'vitest/config'

const labTests = ['test/lab/**/*.test.ts', 'test/**/*.lab.test.ts']

export default defineConfig({
  test: {
    projects: [
      {
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: labTests, testTimeout: 30_000 },
      },
      {
        // Real namespaces, daemons and processes: one file after the other, with deadlines instead of expectations.
        test: {
          name: 'lab',
          include: labTests,
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
