import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, expect, test, vi } from 'vitest'
import { parseAnswer, parseRound, type Round } from '../../../lib/machine/answer.ts'
import { probe } from '../../../lib/machine/probe.ts'
import { probeRounds, roundRequest, type Asked } from '../../../lib/machine/probe-rounds.ts'
import { oneLine, READ_SCRIPT } from '../../../lib/mesh/remote/script.ts'
import { run } from '../../../lib/base/command.ts'

const ROUND_MS = 1000
const TIMEOUT = { timeout: 20_000 }
const begun: Loop[] = []
afterEach(() => begun.splice(0).forEach((loop) => loop.child.kill('SIGKILL')))

class Loop {
  readonly child
  output = ''
  exited: number | null | undefined

  constructor(shell: string) {
    this.child = spawn(shell, ['-c', READ_SCRIPT])
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.output += text
    })
    this.child.once('exit', (code) => {
      this.exited = code
    })
    this.child.stdin.on('error', () => {})
    this.child.stdin.write(oneLine(probeRounds(ROUND_MS)))
    begun.push(this)
  }

  async ask(asked: Asked, nonce: string, earlier?: Round['sample']): Promise<Round> {
    this.child.stdin.write(roundRequest(asked, nonce))
    await vi.waitUntil(() => this.output.includes(`\n${nonce} end\n`), TIMEOUT)
    return parseRound(this.output, nonce, earlier)
  }

  /** What it has started, and has not ended yet. */
  async children(): Promise<string[]> {
    const { stdout } = await run(
      { file: 'ps', args: ['-o', 'pid=', '--ppid', String(this.child.pid)] },
      { timeoutMs: 5000, signal: new AbortController().signal },
    )
    return stdout.split('\n').filter((line) => line.trim() !== '')
  }
}

test.runIf(process.platform === 'linux').each(['sh', 'bash'])(
  '%s answers as the probe does',
  async (shell) => {
    const { nonce, script } = probe()
    const command = { file: shell, args: ['-s'], input: script }
    const limits = { timeoutMs: 10_000, signal: new AbortController().signal }
    const told = parseAnswer((await run(command, limits)).stdout, nonce).measurement
    const loop = new Loop(shell)
    const { answer, sample } = await loop.ask('load', 'a1')
    expect(Object.keys(answer.measurement)).toEqual(Object.keys(told))
    expect(answer.measurement.cpus).toBe(told.cpus)
    expect(sample).toBeUndefined()
  },
)

test.runIf(process.platform === 'linux')(
  'two samples make a list of processes, with users where these are asked for',
  async () => {
    const loop = new Loop('sh')
    const first = await loop.ask('processes', 'a1')
    expect(first.answer.processes).toBeUndefined()
    await new Promise((resolve) => setTimeout(resolve, 100))
    const second = await loop.ask('users', 'a2', first.sample)
    const own = second.answer.processes?.find(({ pid }) => pid === process.pid)
    expect(own?.user).toMatch(/^[a-z]/)
    expect(second.answer.processes?.map(({ pid }) => pid)).not.toContain(loop.child.pid)
    // A machine that was started again since has samples of another clock.
    const later = { uptimeSeconds: (second.sample?.uptimeSeconds ?? 0) + 1e6, numbers: new Float64Array() }
    expect((await loop.ask('processes', 'a3', later)).answer.processes).toBeUndefined()
  },
)

test.each(['sh', 'bash'])('%s ends within two rounds when nobody asks any more', async (shell) => {
  const loop = new Loop(shell)
  await loop.ask('load', 'a1')
  expect(loop.exited).toBeUndefined()
  await vi.waitUntil(() => loop.exited !== undefined, TIMEOUT)
  expect(loop.exited).toBe(0)
})

test.each(['sh', 'bash'])('%s ends with its input, and so does its watch', async (shell) => {
  const loop = new Loop(shell)
  await loop.ask('load', 'a1')
  await expect.poll(async () => (await loop.children()).length, TIMEOUT).toBe(1)
  const [watch = ''] = await loop.children()
  loop.child.stdin.end()
  await once(loop.child, 'exit')
  await expect.poll(() => isThere(Number(watch)), TIMEOUT).toBe(false)
})

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('it goes on while it is asked, longer than two rounds', async () => {
  const loop = new Loop('sh')
  for (let round = 0; round < 6; round += 1) {
    await loop.ask('load', `b${round}`)
    await new Promise((resolve) => setTimeout(resolve, ROUND_MS / 2))
  }
  expect(loop.exited).toBeUndefined()
})
