import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { runScript } from '../run-script.ts'

const simulate = (...args: string[]) =>
  runScript('../test/sim/main', ['--nodes', '10', '--hours', '0.2', ...args])

test('a row a policy, in both tables, and a drawing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rs-test-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = join(folder, 'out.svg')
  const { stdout, stderr, exitCode } = await simulate('--svg', file)
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
  for (const policy of ['planner', 'never', 'naive', 'random', 'two-choices'])
    expect(stdout.split('\n').filter((line) => line.startsWith(`${policy} `))).toHaveLength(2)
  expect(await readFile(file, 'utf8')).toContain('</svg>')
})

test('--json is one document, and --policy leaves the others out', async () => {
  const { stdout, exitCode } = await simulate('--json', '--policy', 'naive', '--seed', '7')
  expect(exitCode).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    nodes: 10,
    hours: 0.2,
    seed: 7,
    policies: [
      { policy: 'naive', flow: { moves: expect.any(Number) }, settle: { moves: expect.any(Number) } },
    ],
  })
})

test.each([
  [['--policy', 'best'], '--policy takes planner, never, naive, random, two-choices, not "best"'],
  [['--nodes', '9'], '--nodes takes a number from 10 to 10000, not "9"'],
  [['--svg', '/nowhere/x.svg'], '"/nowhere/x.svg" can\'t be written'],
])('%s is told in one line', async (args, line) => {
  const { stderr, exitCode } = await simulate(...args)
  expect(stderr).toContain(line)
  expect(stderr.split('\n')).toHaveLength(1)
  expect(exitCode).toBe(args[0] === '--svg' ? 1 : 2)
})
