import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runScript } from '../run-script.ts'

let state = ''
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'rs-jobs-'))
})
afterEach(() => rm(state, { recursive: true }))

// No other machine: a name that no resolver knows.
const run = (script: string, ...args: string[]) =>
  runScript(script, args, { XDG_STATE_HOME: state, RESOURCE_SHARING_HOSTS: 'nowhere.invalid' })

test('options end where the command begins', async () => {
  const ran = await run('offload', '-q', '--or-here', 'printf', '%s|', '-q', '--json', '--', '-h')
  expect(ran).toMatchObject({ exitCode: 0, stdout: '-q|--json|--|-h|', stderr: '' })
  expect(await run('offload', '-q', '--or-here', '--', 'sh', '-c', 'exit 7')).toMatchObject({ exitCode: 7 })
})

test.each([
  [['true'], 125],
  [['--wait', '--or-here', 'true'], 125],
  [['--json', 'true'], 125],
  [['--return', '../x', 'true'], 125],
  [['--send', 'no-such-file', 'true'], 125],
  [['--or-here', 'no-such-command'], 127],
  [['--or-here', '/etc/passwd'], 126],
  [['--or-here', 'sh', '-c', 'kill -9 $$'], 137],
])('offload %j ends with %i', async (args, exitCode) => {
  expect(await run('offload', ...args)).toMatchObject({ exitCode, stdout: '' })
})

test('enqueue, jobs, cancel, retry and forget tell what is so', async () => {
  const { stdout: id } = await run('enqueue', '-q', '--name', 'a job', 'sh', '-c', 'exit 1')
  expect(id).toMatch(/^[a-z2-9]{6}$/)
  expect(JSON.parse((await run('jobs', '--json')).stdout)).toMatchObject({
    jobs: [{ id, name: 'a job', command: ['sh', '-c', 'exit 1'], state: 'queued', attempt: 0 }],
  })
  expect((await run('jobs')).stdout).toMatch(new RegExp(`^${id}  a job .* queued$`, 'm'))
  expect(await run('jobs', 'start', id)).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining('no other machine has room'),
  })
  expect(await run('jobs', 'forget', id)).toMatchObject({ exitCode: 2 })
  expect(await run('jobs', 'retry', id)).toMatchObject({ exitCode: 2 })
  expect(await run('jobs', 'cancel', id)).toMatchObject({ exitCode: 0, stdout: `${id}: cancelled` })
  expect(await run('jobs', 'log', id)).toMatchObject({ exitCode: 1, stdout: '' })
  expect(await run('jobs', 'retry', id)).toMatchObject({ exitCode: 0, stdout: `${id}: queued` })
  await run('jobs', 'cancel', id)
  expect(await run('jobs', 'forget', id)).toMatchObject({ exitCode: 0 })
  expect(await run('jobs')).toMatchObject({
    exitCode: 0,
    stdout: '',
    stderr: expect.stringContaining('no jobs'),
  })
})

test.each([
  ['log', 'aaaaaa'],
  ['cancel', '../../x'],
  ['start'],
  ['list', 'aaaaaa'],
  ['what', 'aaaaaa'],
  ['cancel', 'a', 'b'],
])('jobs %s %s %s is a usage error', async (...args) => {
  expect(await run('jobs', ...args.filter((word) => typeof word === 'string'))).toMatchObject({
    exitCode: 2,
    stdout: '',
  })
})

test('a record that is no job is left alone', async () => {
  const { stdout: id } = await run('enqueue', '-q', 'true')
  const folder = join(state, 'resource-sharing', 'jobs')
  const file = join(folder, id, 'job.json')
  expect(await readdir(folder)).toEqual([id])
  const text = await readFile(file, 'utf8')
  await writeFile(file, text.slice(0, -20))
  expect(await run('jobs')).toMatchObject({ exitCode: 0, stdout: '' })
  expect(await readFile(file, 'utf8')).toBe(text.slice(0, -20))
})

test.runIf(process.platform === 'linux')('what Node can not tell apart is refused, not changed', async () => {
  const ran = await run('enqueue', 'printf', '\uFFFD')
  expect(ran).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('is not UTF-8') })
})
