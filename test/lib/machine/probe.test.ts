import { availableParallelism } from 'node:os'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { parseAnswer } from '../../../lib/machine/answer.ts'
import { probe } from '../../../lib/machine/probe.ts'

test('each probe has a nonce of its own, and the script nothing left to fill in', () => {
  const [one, two] = [probe(), probe({ windowMs: 500 })]
  expect(one.nonce).not.toBe(two.nonce)
  expect(one.script + two.script).not.toMatch(/NONCE|PROCESSES|undefined/)
})

test.runIf(process.platform === 'linux').each(['sh', 'bash'])('%s measures this machine', async (shell) => {
  const { nonce, script } = probe({ windowMs: 100 })
  const environment = { LC_ALL: 'de_DE.UTF-8', OMP_NUM_THREADS: '1000', OMP_THREAD_LIMIT: '1' }
  const { stdout } = await execa(shell, ['-s'], { input: script, env: environment, stripFinalNewline: false })
  const { measurement, processes } = parseAnswer(stdout, nonce)
  expect(measurement.cpus).toBe(availableParallelism())
  expect(processes?.map(({ pid }) => pid)).toContain(process.pid)
})

test('a script that is cut short does nothing at all', async () => {
  const { script } = probe()
  const { stdout } = await execa('sh', ['-s'], { input: script.slice(0, -20), reject: false })
  expect(stdout).toBe('')
})
