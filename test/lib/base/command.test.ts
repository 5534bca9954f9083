import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { run } from '../../../lib/base/command.ts'
import { liveProcess } from '../../../lib/machine/live-processes.ts'

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
  const script = `(sleep 300 & echo $! >${file}.new; mv ${file}.new ${file}; wait) & wait`
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

test('an argument that no program can be given is no error of this one', async () => {
  for (const args of [['a\0b'], ['x'.repeat(3_000_000)]])
    expect(await run({ file: 'true', args }, { timeoutMs: 5000, signal: never })).toMatchObject({
      exitCode: undefined,
      missing: false,
    })
})

test('a hundred commands at once heed one signal, and nobody is warned of them', async () => {
  const warned: string[] = []
  const hear = ({ message }: Error) => warned.push(message)
  process.on('warning', hear)
  const aborter = new AbortController()
  const all = Array.from({ length: 100 }, async () => {
    await run({ file: 'sleep', args: ['60'] }, { timeoutMs: 60_000, signal: aborter.signal })
  })
  aborter.abort(new Error('enough'))
  expect((await Promise.allSettled(all)).map(({ status }) => status)).toEqual(all.map(() => 'rejected'))
  process.off('warning', hear)
  expect(warned).toEqual([])
})

test('a command that has not read its input to the end has ended all the same', async () => {
  const command = { file: 'sh', args: ['-c', 'exec <&-; exit 4'], input: 'x'.repeat(5_000_000) }
  expect((await run(command, { timeoutMs: 20_000, signal: never })).exitCode).toBe(4)
})

test('a command at the terminal tells how it ended, and ends with this program', async () => {
  const module = fileURLToPath(new URL('../../../lib/base/command.ts', import.meta.url))
  const program = (script: string, after: string) =>
    `import { runAtTerminal } from ${JSON.stringify(module)}
     ${after}
     process.stdout.write(String(await runAtTerminal({ file: 'sh', args: ['-c', ${JSON.stringify(script)}] })))`
  const started = async (text: string) =>
    await run(
      { file: process.execPath, args: ['--import', 'tsx', '--input-type=module', '-e', text] },
      { timeoutMs: 60_000, signal: never },
    )
  expect(await started(program('exit 7', ''))).toMatchObject({ stdout: '7', exitCode: 0 })
  const ended = await started(program('echo $$; exec sleep 300', 'setTimeout(() => process.exit(3), 5000)'))
  expect(ended.exitCode).toBe(3)
  const pid = Number(ended.stdout)
  expect(pid).toBeGreaterThan(1)
  await expect.poll(() => liveProcess(pid), { timeout: 20_000 }).toBeUndefined()
})
