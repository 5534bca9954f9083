import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { run, runPiped } from '../../lib/command.ts'
import { liveProcess } from '../../lib/process/live.ts'

const never = new AbortController().signal

test('a command that does not exist is missing, and that is no error', async () => {
  expect(await run({ file: 'no-such-command', args: [] }, { timeoutMs: 1000, signal: never })).toEqual({
    stdout: '',
    stderr: '',
    exitCode: undefined,
    timedOut: false,
    missing: true,
    tooMuch: false,
  })
})

test('what it printed is kept as it is, with its status', async () => {
  const command = { file: 'sh', args: ['-c', 'cat; echo oops >&2; exit 7'], input: 'text\n\n' }
  const ended = await run(command, { timeoutMs: 5000, signal: never })
  expect(ended).toMatchObject({ stdout: 'text\n\n', stderr: 'oops\n', exitCode: 7 })
})

test('a command that ignores being told to end is killed after its time', async () => {
  const began = performance.now()
  const command = { file: 'sh', args: ['-c', 'trap "" TERM; while :; do sleep 1; done'] }
  const ended = await run(command, { timeoutMs: 200, signal: never })
  expect(ended).toMatchObject({ timedOut: true, exitCode: undefined })
  expect(performance.now() - began).toBeLessThan(3000)
})

test('a grandchild that keeps the pipes open does not hold up the result', async () => {
  const began = performance.now()
  const ended = await run(
    { file: 'sh', args: ['-c', 'sleep 20 & echo done'] },
    { timeoutMs: 10_000, signal: never },
  )
  expect(ended).toMatchObject({ stdout: 'done\n', exitCode: 0 })
  expect(performance.now() - began).toBeLessThan(5000)
})

test('when the signal is aborted the command is gone before the reason is thrown', async () => {
  const aborter = new AbortController()
  const ended = run({ file: 'sleep', args: ['20'] }, { timeoutMs: 30_000, signal: aborter.signal })
  setTimeout(() => aborter.abort(new Error('enough')), 50)
  await expect(ended).rejects.toThrow('enough')
})

test('a command has a process group of its own, which Ctrl-C at the terminal does not reach', async () => {
  const { stdout } = await run(
    { file: 'sh', args: ['-c', 'echo $$; ps -o pgid= -p $$'] },
    { timeoutMs: 5000, signal: never },
  )
  const [pid, group] = stdout.trim().split(/\s+/)
  expect(group).toBe(pid)
})

test('what a command has started is killed with it when the signal is aborted', async () => {
  const aborter = new AbortController()
  const folder = await mkdtemp(join(tmpdir(), 'command-'))
  const file = join(folder, 'pid')
  const script = `(sleep 60 & echo $! >${file}.new; mv ${file}.new ${file}; wait) & wait`
  const ended = run({ file: 'sh', args: ['-c', script] }, { timeoutMs: 30_000, signal: aborter.signal })
  await expect.poll(() => existsSync(file)).toBe(true)
  aborter.abort(new Error('enough'))
  await expect(ended).rejects.toThrow('enough')
  const pid = Number(await readFile(file, 'utf8'))
  await rm(folder, { recursive: true })
  await expect.poll(() => liveProcess(pid)).toBeUndefined()
})

test('output without end is cut off', async () => {
  const ended = await run({ file: 'yes', args: [] }, { timeoutMs: 20_000, signal: never, maxOutput: 100_000 })
  expect(ended).toMatchObject({ timedOut: false, tooMuch: true })
  expect(ended.exitCode).not.toBe(0)
})

test('what is added to the environment does not take the rest away', async () => {
  const command = { file: 'sh', args: ['-c', 'echo "$ADDED" "${HOME:+home}"'], env: { ADDED: 'x' } }
  expect((await run(command, { timeoutMs: 5000, signal: never })).stdout).toBe('x home\n')
})

test('bytes that are not UTF-8 come through as they are', async () => {
  const input = String.fromCodePoint(...Array.from({ length: 256 }, (_, byte) => byte))
  const command = { file: 'cat', args: [], input, bytes: true }
  expect((await run(command, { timeoutMs: 5000, signal: never })).stdout).toBe(input)
})

test('when the second command ends early, the first one and all that it has started is ended', async () => {
  const began = performance.now()
  const from = { file: 'sh', args: ['-c', '(cat /dev/zero); echo over'] }
  const to = { file: 'sh', args: ['-c', 'head -c 10000 >/dev/null; echo enough; exit 3'] }
  const [first, second] = await runPiped(from, to, {
    timeoutMs: 20_000,
    signal: new AbortController().signal,
  })
  expect(first.exitCode).toBeUndefined()
  expect(second).toMatchObject({ exitCode: 3, stdout: 'enough\n' })
  expect(performance.now() - began).toBeLessThan(15_000)
})

test('when the second command has ended before all was sent, that is no success', async () => {
  const from = { file: 'sh', args: ['-c', 'head -c 2000000 /dev/zero'] }
  const to = { file: 'sh', args: ['-c', 'exec </dev/null; kill -9 $$'] }
  const ended = await runPiped(from, to, { timeoutMs: 20_000, signal: new AbortController().signal })
  expect(ended[1].exitCode).toBeUndefined()
})
