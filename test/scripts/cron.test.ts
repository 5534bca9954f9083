import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runScript } from '../run-script.ts'

/** A crontab command that keeps the crontab in a file and counts how often it is written. */
const STAND_IN = `#!/bin/sh
case $1 in
  -l) [ -e "$TABLE" ] || { echo "no crontab for $(id -un)" >&2; exit 1; }; exec cat "$TABLE" ;;
  -r) rm "$TABLE" ;;
  -) cat >"$TABLE.new"; grep -q refuse "$TABLE.new" && { echo "bad minute" >&2; exit 1; }
     mv "$TABLE.new" "$TABLE"; echo >>"$TABLE.writes" ;;
esac
`
let folder = ''
let table = ''
let env: Record<string, string> = {}
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rs-test-'))
  table = join(folder, 'table')
  await mkdir(join(folder, 'bin'))
  await writeFile(join(folder, 'bin/crontab'), STAND_IN, { mode: 0o755 })
  env = { PATH: `${folder}/bin:/usr/bin:/bin`, TABLE: table }
})
afterEach(() => rm(folder, { recursive: true }))

const contents = () => readFile(table).catch(() => undefined)
const writes = () => readFile(`${table}.writes`, 'utf8').catch(() => '')

test.each([
  ['there is none', undefined],
  ['an empty one', Buffer.from('')],
  ['no newline at its end', Buffer.from('0 4 * * * backup')],
  ['Windows line ends', Buffer.from('MAILTO=me\r\n0 4 * * * backup\r\n')],
  ['bytes that are not UTF-8', Buffer.from([0x23, 0xe9, 0xff, 0xc3, 0x0a])],
])('installed twice there is one block, and removing it leaves what was there: %s', async (_, before) => {
  if (before) await writeFile(table, before)
  expect(await runScript('cron-install', [], env)).toMatchObject({ exitCode: 0, stderr: '' })
  const changed = await runScript('cron-install', ['--every', '7', '--log', '/var/log/é %.json'], env)
  expect(changed).toMatchObject({ exitCode: 0, stderr: '' })
  const text = (await contents())?.toString() ?? ''
  expect(text.match(/^# BEGIN resource-sharing/gm)).toHaveLength(1)
  expect(text.match(/node-trit\.ts/g)).toHaveLength(1)
  expect(text).toMatch(
    /^\*\/7 \* \* \* \* \/.*node \/.*\/cli\/start\.mjs scripts\/node-trit\.ts --quiet --alone '--log=\/var\/log\/é \\%\.json'$/m,
  )
  if (before) expect((await contents())?.subarray(0, before.length)).toEqual(before)
  expect((await runScript('cron-show', [], env)).stdout).toBe(changed.stdout)
  expect(await runScript('cron-remove', [], env)).toMatchObject({
    exitCode: 0,
    stdout: '',
    stderr: 'removed',
  })
  expect(await contents()).toEqual(before)
})

test('installing the same again writes nothing', async () => {
  await runScript('cron-install', [], env)
  const again = await runScript('cron-install', ['--json'], env)
  expect(JSON.parse(again.stdout)).toMatchObject({
    changed: false,
    lines: [expect.anything(), expect.anything(), expect.anything()],
  })
  expect(await writes()).toBe('\n')
})

test('where there is no block, showing and removing say so and change nothing', async () => {
  await writeFile(table, '0 4 * * * backup\n')
  for (const recipe of ['cron-show', 'cron-remove'])
    expect(await runScript(recipe, [], env)).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: expect.stringMatching(/^there is nothing of this program in the crontab[^\n]*$/),
    })
  expect(JSON.parse((await runScript('cron-show', ['--json'], env)).stdout)).toEqual({
    installed: false,
    lines: [],
  })
  expect([await writes(), (await contents())?.toString()]).toEqual(['', '0 4 * * * backup\n'])
})

test('a damaged block is refused, and nothing is changed', async () => {
  const damaged = '# BEGIN resource-sharing\n0 4 * * * backup\n'
  await writeFile(table, damaged)
  for (const recipe of ['cron-install', 'cron-remove', 'cron-show'])
    expect(await runScript(recipe, [], env)).toMatchObject({
      exitCode: 5,
      stdout: '',
      stderr: expect.stringMatching(/^the crontab has [^\n]* not one block[^\n]*$/),
    })
  expect([await writes(), (await contents())?.toString()]).toEqual(['', damaged])
})

test('a crontab that cron refuses is one line, and stays what it was', async () => {
  await writeFile(table, 'refuse\n')
  expect(await runScript('cron-install', [], env)).toMatchObject({
    exitCode: 1,
    stderr: '`crontab -` failed, nothing was changed: bad minute',
  })
  expect((await contents())?.toString()).toBe('refuse\n')
})

test('without a crontab command it says what to do', async () => {
  await rm(join(folder, 'bin/crontab'))
  const PATH = join(folder, 'bin')
  for (const recipe of ['cron-install', 'cron-remove', 'cron-show'])
    expect(await runScript(recipe, [], { PATH })).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(
        /^there is no crontab command here: install cron, or see `just cron-install --systemd`$/,
      ),
    })
})

test('with --alert the output goes nowhere, because the alert tells', async () => {
  const { stdout } = await runScript('cron-install', ['--alert', 'mail me', '--for', '2'], env)
  expect(stdout).toMatch(/ '--alert=mail me' --for=2 >\/dev\/null$/m)
})

test('--systemd prints two units and leaves the crontab alone', async () => {
  const ran = await runScript('cron-install', ['--systemd', '--every', '9', '--log', '/a b'], env)
  expect(ran.stdout).toMatch(/^# ~\/\.config\/systemd\/user\/resource-sharing\.service\n\[Unit\]/)
  expect(ran.stdout).toMatch(/^ExecStart=\/.* --quiet --alone "--log=\/a b"$/m)
  expect(ran.stdout).toMatch(/^OnCalendar=\*:0\/9$/m)
  expect(ran).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/^nothing was installed/) })
  expect(await contents()).toBeUndefined()
})
