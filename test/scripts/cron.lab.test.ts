import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLab, type Lab } from '../lab/lab.ts'

const CWD = '/srv/resource-sharing'
const FOLDER = '/home/operator/a b%c'

let lab: Lab
beforeAll(async () => {
  lab = await openLab({ instance: 'cron', hosts: 1, tailnet: false })
})
afterAll(() => lab?.close())

const sh = (command: string) => lab.exec('n1', ['sh', '-c', command], { user: 'operator' })
const just = (...args: string[]) => lab.exec('n1', ['just', ...args], { user: 'operator', cwd: CWD })
const read = async (name: string) => (await sh(`cat '${FOLDER}/${name}'`)).stdout

test.each([
  ['no crontab', undefined],
  ['an empty one', ''],
  ['other lines', String.raw`MAILTO=\n# caf\351\r\n0 4 * * * date +\\%%F >/dev/null\n\n`],
])('on a Debian with %s, install twice and remove leave it to the byte', async (_, before) => {
  await sh('crontab -r')
  if (before !== undefined) await sh(`printf '${before}' | crontab -`)
  const sum = async () => (await sh('crontab -l 2>&1 | sha256sum')).stdout
  const atFirst = await sum()
  expect(await just('cron-install')).toMatchObject({ exitCode: 0, stderr: '' })
  expect(await just('cron-install', '--every', '2')).toMatchObject({ exitCode: 0, stderr: '' })
  expect((await sh('crontab -l | grep -c node-trit.ts')).stdout).toBe('1')
  expect((await just('cron-show')).stdout).toMatch(/\n\*\/2 [^\n]+\n/)
  expect(await just('cron-remove')).toMatchObject({ exitCode: 0 })
  expect(await sum()).toBe(atFirst)
})

test('an alert that fails is one line and exit 1, and is tried again; one that works is not', async () => {
  await lab.setLoad('n1', 9)
  const once = (...args: string[]) => just('node-trit', '--bare', '--quiet', '--for', '1', ...args)
  const failed = /^--alert "echo no mail >&2; false" failed with status 1: no mail; the next run tries again$/
  for (let turn = 0; turn < 2; turn += 1)
    expect(await once('--alert', 'echo no mail >&2; false')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(failed),
    })
  for (let turn = 0; turn < 2; turn += 1)
    expect(await once('--alert', 'echo x >>"$HOME/told"')).toMatchObject({ exitCode: 0, stderr: '' })
  expect((await sh('cat told')).stdout).toBe('x')
})

test('a full disk leaves the old file whole, and costs the log one line', async () => {
  const root = (command: string) => lab.exec('n1', ['sh', '-c', command])
  await root('mkdir /full && mount -t tmpfs -o size=8k none /full && printf old >/full/a')
  const code = `import { writeAtomically } from '${CWD}/lib/base/atomic-file.ts'
    await writeAtomically('/full/a', 'new'.repeat(10000), 0o644)`
  const loader = `${CWD}/node_modules/tsx/dist/esm/index.mjs`
  const written = await lab.exec('n1', ['node', '--import', loader, '--input-type=module', '--eval', code])
  expect(written).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('ENOSPC') })
  expect((await root('ls -A /full; cat /full/a')).stdout).toBe('a\nold')
  await root('head -c 4050 /dev/zero >/full/log; echo >>/full/log')
  const log = () => lab.exec('n1', ['just', 'node-trit', '--log', '/full/log', '--quiet'], { cwd: CWD })
  expect(await log()).toMatchObject({
    exitCode: 1,
    stderr: `--log "/full/log" can't be written: no space left for the whole line`,
  })
  await root('rm /full/a')
  expect(await log()).toMatchObject({ exitCode: 0, stderr: '' })
  const [, broken = '', ...whole] = (await root('cat /full/log; umount /full')).stdout.split('\n')
  expect(broken).toMatch(/^\{"at":"[^}]*$/)
  expect(whole.map((line) => Object.keys(JSON.parse(line)).length)).toEqual([7])
})

test('cron runs the installed line: log, metrics, and one alert each way, in a folder with a blank and a percent sign', async () => {
  await lab.setLoad('n1', 9)
  await sh(`crontab -r; mkdir -p '${FOLDER}'`)
  const tell = String.raw`printf '%s 100%%\\n' "$RESOURCE_SHARING_EVENT $RESOURCE_SHARING_TRIT" >>'${FOLDER}/told'`
  const outlets = ['--log', `${FOLDER}/log`, '--textfile', `${FOLDER}/a.prom`, '--alert', tell, '--for', '1']
  // Where cron is to mail it, a line that prints anything leaves a letter; this Debian has nobody to take one.
  expect(await just('cron-install', '--every', '1', ...outlets)).toMatchObject({ exitCode: 0, stderr: '' })
  await expect
    .poll(() => read('told'), { timeout: 100_000, interval: 1000 })
    .toBe(String.raw`overloaded +1 100%\n`)
  await lab.setLoad('n1', 0.1)
  await expect
    .poll(() => read('told'), { timeout: 100_000, interval: 1000 })
    .toBe(String.raw`overloaded +1 100%\nrecovered -1 100%\n`)
  const lines = (await read('log')).split('\n').map((line) => JSON.parse(line))
  expect(lines.length).toBeGreaterThanOrEqual(2)
  expect([lines[0].trit, lines.at(-1).trit]).toEqual([1, -1])
  expect(await read('a.prom')).toMatch(/^resource_sharing_node_trit -1$/m)
  expect((await sh(`ls -A '${FOLDER}' .local/state/resource-sharing | grep -v json`)).stdout).not.toMatch(
    /part|lock/,
  )
  expect(await just('cron-remove')).toMatchObject({ exitCode: 0 })
  expect((await sh('crontab -l')).stderr).toMatch(/no crontab/)
}, 240_000)
