import { spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runScript } from '../run-script.ts'
import { commands, documentOf, filled } from './skill-folder.ts'
import { HERE, IN_LAB } from './where-commands-run.ts'

test('every command of the skill’s pages is run by a test, here or in the lab, and no other', () => {
  expect(new Set([...Object.keys(HERE), ...IN_LAB])).toEqual(new Set(commands()))
})

/** Instead of a tailnet, a machine that does not answer. */
const NOBODY = '127.0.0.1:1'

let folder = ''
let copy = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rs-skill-'))
  const { stdout } = await runScript('skill-install', ['--json', '--to', join(folder, 'skills')], {
    XDG_STATE_HOME: folder,
  })
  copy = String(JSON.parse(stdout).skill)
  await writeFile(join(folder, 'data.csv'), '2\n1\n')
  // A make that any machine has.
  await mkdir(join(folder, 'bin'))
  await writeFile(join(folder, 'bin/make'), '#!/bin/sh\necho made "$@"\n')
  await chmod(join(folder, 'bin/make'), 0o755)
})
afterAll(async () => await rm(folder, { recursive: true }))

async function run(line: string, values: Record<string, string> = {}) {
  const path = [join(folder, 'bin'), '/usr/bin', '/bin', join(process.execPath, '..')].join(':')
  return await execa('sh', ['-c', filled(line, copy, values)], {
    cwd: folder,
    env: { PATH: path, HOME: folder, XDG_STATE_HOME: folder, RESOURCE_SHARING_HOSTS: NOBODY },
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
  })
}

/** A job that waits here, or is over. */
async function job(state: string): Promise<string> {
  const { stdout } = await run('scripts/rs enqueue -q true')
  if (state === 'over') await run('scripts/rs jobs cancel ID', { ID: stdout })
  return stdout
}

/** What stands for the words in capitals. */
async function valuesFor(line: string): Promise<Record<string, string>> {
  if (/ jobs (?:retry|forget) /.test(line)) return { ID: await job('over') }
  if (line.includes(' jobs cancel ')) return { ID: await job('queued') }
  if (line.includes(' PID ')) return { PID: String(spawn('sleep', ['600']).pid) }
  return {}
}

test.concurrent.each(Object.entries(HERE))('%s', async (line, exits) => {
  const { exitCode, stdout, stderr } = await run(line, await valuesFor(line))
  expect(exits, stderr).toContain(exitCode)
  if (line.endsWith(' --json') && exitCode !== 3) documentOf(line, stdout)
  if (line.includes(' make ')) expect(stdout).toBe('made -j8')
  if (line.includes(' enqueue ')) expect(documentOf(line, stdout)).toMatchObject({ state: 'queued' })
  if (line.includes(' scum-kill ')) expect(stdout).toContain('"outcome": "ended"')
})
