import { execa } from 'execa'
import { chmod, copyFile, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { setPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { promtoolCheck, withoutPromtool } from '../promtool.ts'
import { runScript } from '../run-script.ts'

const QUICK = ['--window', '100', '--quiet', '--timeout', '30']
let folder = ''
let env: Record<string, string> = {}
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rs-test-'))
  env = { XDG_STATE_HOME: join(folder, 'state') }
})
afterEach(() => rm(folder, { recursive: true }))

const nodeTrit = (...args: string[]) => runScript('node-trit', [...QUICK, ...args], env)
const path = (name: string) => join(folder, name)

test('two writers of one log at once leave only whole lines', async () => {
  await writeFile(path('log'), '{"cut short by a crash')
  const writer = async () => {
    for (let turn = 0; turn < 5; turn += 1) await nodeTrit('--log', path('log'))
  }
  await Promise.all([writer(), writer()])
  const [broken, ...lines] = (await readFile(path('log'), 'utf8')).trimEnd().split('\n')
  expect(broken).toBe('{"cut short by a crash')
  const readings = lines.filter((line) => line !== '').map((line) => JSON.parse(line))
  expect(readings).toHaveLength(10)
  for (const reading of readings) {
    expect(Object.keys(reading)).toEqual([
      'at',
      'trit',
      'load1',
      'cpus',
      'ratio',
      'scumProcesses',
      'processes',
    ])
    expect(new Date(reading.at).toISOString()).toBe(reading.at)
    expect(reading.processes).toHaveLength(reading.scumProcesses)
  }
})

test('a line of the log is what --json prints, with the time', async () => {
  const { stdout } = await nodeTrit('--json', '--log', path('log'))
  const { at, ...reading } = JSON.parse(await readFile(path('log'), 'utf8'))
  expect(Date.now() - Date.parse(at)).toBeLessThan(60_000)
  expect(reading).toEqual(JSON.parse(stdout))
})

test('a reader of the text file in a loop never sees half of it, and everybody may read it', async () => {
  const file = path('node.prom')
  await nodeTrit('--textfile', file)
  const done = new AbortController()
  const texts: string[] = []
  const names = new Set<string>()
  const reader = (async () => {
    while (!done.signal.aborted) {
      texts.push(await readFile(file, 'utf8'))
      for (const name of await readdir(folder)) names.add(name)
    }
  })()
  const writer = async () => {
    for (let turn = 0; turn < 4; turn += 1) await nodeTrit('--textfile', file)
  }
  await Promise.all([writer(), writer()])
  done.abort()
  await reader
  expect(texts.length).toBeGreaterThan(100)
  const whole =
    /^# HELP resource_sharing_node_trit [^]*resource_sharing_scum_processes \d+\n(?:[^]*process_score\{[^\n]*\n)?$/
  expect(texts.filter((text) => !whole.test(text))).toEqual([])
  expect([...names].filter((name) => name.endsWith('.prom'))).toEqual(['node.prom'])
  expect((await stat(file)).mode & 0o777).toBe(0o644)
  expect(await readdir(folder)).toEqual(['node.prom'])
})

test.skipIf(process.platform !== 'linux' || withoutPromtool).each([
  ['a"b\\c', String.raw`a\"b\\c`],
  ['ünï 日本', 'ünï 日本'],
  ['new\nline', String.raw`new\nline`],
  ['red\u001B[31m', 'red'],
])('promtool accepts the file while a command named %j is busy', async (name, written) => {
  const file = path('node.prom')
  const binary = path(name)
  await copyFile(await realpath('/bin/sh'), binary)
  await chmod(binary, 0o755)
  const spin = ['-c', 'while :; do :; done']
  const spinner = execa(binary, spin, { detached: true, timeout: 100_000, reject: false })
  try {
    await beforeOthers(spinner.pid ?? 0)
    const sample = `resource_sharing_process_score{pid="${spinner.pid}",command="${written}"} 0.`
    // Where other tests keep the CPUs busy it may take a while until it gets its 30 %.
    await expect
      .poll(
        async () => {
          await nodeTrit('--textfile', file, '--window', '1000')
          return readFile(file, 'utf8')
        },
        { timeout: 60_000 },
      )
      .toContain(sample)
    expect(await promtoolCheck(await readFile(file, 'utf8'))).toEqual({ exitCode: 0, said: '' })
  } finally {
    spinner.kill('SIGKILL')
    await spinner
  }
})

/** Puts a session before what else this machine runs, where this user may: its process gets the 30 % that count. */
async function beforeOthers(session: number): Promise<void> {
  try {
    setPriority(session, -15)
    await writeFile(`/proc/${session}/autogroup`, '-15')
  } catch {
    // It may take a while then, until it gets them.
  }
}

test.each([
  [
    ['--log', 'FOLDER/missing/log'],
    /^--log ".*\/missing\/log" can't be written: ENOENT: no such file or directory$/,
  ],
  [['--log', 'FOLDER'], /^--log ".*" can't be written: EISDIR/],
  [
    ['--textfile', 'FOLDER/missing/a.prom'],
    /^--textfile ".*\/missing\/a\.prom" can't be written: ENOENT: [^/]*$/,
  ],
])('what %j can’t do is one line', async (args, message) => {
  const ran = await nodeTrit(...args.map((arg) => arg.replace('FOLDER', folder)))
  expect(ran.stderr).toMatch(message)
  expect(ran.exitCode).toBe(1)
})

test('one outlet that fails keeps no other from being served', async () => {
  const missing = path('missing/a.prom')
  const ran = await nodeTrit('--textfile', missing, '--log', path('log'), '--alert', 'true')
  expect(ran).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('missing/a.prom') })
  expect(JSON.parse(await readFile(path('log'), 'utf8'))).toHaveProperty('trit')
  expect(await readdir(path('state/resource-sharing'))).toHaveLength(1)
})

test('a run that is too slow to measure anything is counted by the alert, and still fails', async () => {
  const alert = `echo "$RESOURCE_SHARING_EVENT: $RESOURCE_SHARING_REASON" >>'${path('told')}'`
  const slow = ['--window', '30000', '--timeout', '1', '--alert', alert, '--for', '2']
  for (const _ of [1, 2])
    expect(await nodeTrit(...slow)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/--timeout$/),
    })
  expect(await readFile(path('told'), 'utf8')).toMatch(/^unmeasured: .* did not answer within the time.*\n$/)
})

test('with --alone a second run does nothing, quietly, and one that was killed holds up nobody', async () => {
  const ROOT = join(import.meta.dirname, '../..')
  const args = [join(ROOT, 'cli/start.mjs'), 'scripts/node-trit.ts', '--alone', '--window', '30000']
  const first = execa(process.execPath, args, { env, reject: false, timeout: 60_000 })
  const lock = path('state/resource-sharing/node-trit.lock')
  await expect.poll(() => readFile(lock, 'utf8').catch(() => '')).toMatch(`${first.pid} `)
  const log = ['--log', path('log')]
  expect(await nodeTrit('--alone', ...log)).toMatchObject({ exitCode: 0, stdout: '', stderr: '' })
  expect(await readdir(folder)).toEqual(['state'])
  first.kill('SIGKILL')
  await first
  expect(await nodeTrit('--alone', ...log)).toMatchObject({ exitCode: 0, stderr: '' })
  expect((await readdir(folder)).toSorted()).toEqual(['log', 'state'])
  expect(await readdir(path('state/resource-sharing'))).toEqual([])
})
