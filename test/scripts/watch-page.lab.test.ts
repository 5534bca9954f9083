import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openBrowser, openPage } from '../browser.ts'
import type { HostProcess } from '../lab/exec.ts'
import { openLab, type Lab } from '../lab/lab.ts'
import { hostLayoutOf, layoutOf } from '../lab/layout.ts'
import { promtoolCheck, withoutPromtool } from '../promtool.ts'

// n1 serves, n2 is the phone of the same person, n3 belongs to somebody else, n4 is watched.
const INSTANCE = 'watch-page'
const TOKEN = 'a-token-of-this-test'
const SOON = { timeout: 60_000 }
const COMMAND = ['just', 'watch', '--serve']
const AT_HOME = { cwd: '/srv/resource-sharing' }

let lab: Lab
let browser: Browser
let serving: HostProcess
let n1 = ''
let url = ''
beforeAll(async () => {
  lab = await openLab({ instance: INSTANCE, hosts: 4 })
  n1 = lab.nodes.find(({ name }) => name === 'n1')?.tailnetIp ?? ''
  for (const { name } of lab.nodes) await lab.setCpus(name, 4)
  await lab.setLoad('n4', 2)
  await lab.tailscaleUser('n3', 'stranger')
  await lab.exec('n1', ['sh', '-c', `umask 077; echo ${TOKEN} >/root/token`])
  ;({ serving, url } = await serve(['--interval', '1', '--exclude', 'n3']))
  const within = hostLayoutOf(layoutOf(INSTANCE), 2).netns
  browser = await openBrowser({ within, names: [`MAP n1 ${n1}`] })
})
afterAll(async () => {
  await browser?.close()
  await lab?.close()
})

/** Serves on n1; returns when it says where. */
async function serve(args: readonly string[]): Promise<{ serving: HostProcess; url: string }> {
  const { process } = await lab.spawn('n1', [...COMMAND, ...args], AT_HOME)
  let said = ''
  process.stdout.on('data', (part) => (said += String(part)))
  await vi.waitUntil(() => said.includes('\n'), SOON)
  const urls = said.split('\n').filter((line) => line !== '')
  return { serving: process, url: urls.find((line) => line.includes(n1)) ?? urls[0] ?? '' }
}

/** Sends a signal to what serves on n1 with these words among its arguments. */
async function signal(name: 'INT' | 'TERM', words: string): Promise<void> {
  await lab.exec('n1', ['pkill', `-${name}`, '-f', `start.mjs scripts/watch.ts .*${words}`])
}

/** How a request from a host is answered. */
async function ask(node: string, path: string, args: readonly string[] = []) {
  const format = ['--silent', '--max-time', '20', '--write-out', '\n%{http_code}']
  const { stdout } = await lab.exec(node, ['curl', ...format, ...args, `${url}${path}`])
  const lines = stdout.split('\n')
  return { status: Number(lines.pop()), text: lines.join('\n') }
}

test('a phone of the same person follows the mesh: a machine fills up, vanishes, and comes back', async () => {
  const { page, complaints, close } = await openPage(browser, { viewport: { width: 375, height: 720 } })
  await page.goto('http://n1:8642/')
  const row = page.locator('[data-key="n4"]')
  await expect.poll(() => row.textContent(), SOON).toContain('0 ERGODIC')
  await expect.poll(() => page.locator('[data-key="n1"]').textContent(), SOON).toContain('here')
  await lab.setLoad('n4', 8)
  await expect.poll(() => row.textContent(), SOON).toMatch(/\+1 PLUS.*2\.00/s)
  await lab.linkDown('n4')
  await expect.poll(() => row.textContent(), SOON).toMatch(/measured \d+ s ago/)
  await expect.poll(() => row.getAttribute('data-level'), SOON).toBe('none')
  await lab.linkUp('n4')
  await expect.poll(() => row.textContent(), SOON).toMatch(/\+1 PLUS/)
  await lab.setLoad('n4', 2)
  await expect.poll(() => row.textContent(), SOON).toContain('0 ERGODIC')
  expect(complaints).toEqual([])
  await close()
})

test('what a process calls itself there is text here', async () => {
  const name = '<b onclick=x>'
  const spin = ['bash', '-c', `printf '${name}' >/proc/self/comm; while :; do :; done`]
  const { process } = await lab.spawn('n4', spin, { timeoutMs: 120_000 })
  const { page, complaints, close } = await openPage(browser)
  await page.goto('http://n1:8642/')
  await page.getByRole('link', { name: 'n4' }).click()
  await expect.poll(() => page.locator('#processes').textContent(), SOON).toContain(name)
  const row = page.locator('#processes tr', { hasText: name })
  await expect.poll(() => row.locator('.user').textContent(), SOON).toBe('root')
  expect(await page.locator('#processes b').count()).toBe(0)
  await page.goto('http://n1:8642/')
  await expect.poll(() => page.locator('[data-key="n4"] .busiest').textContent(), SOON).toContain(name)
  expect(complaints).toEqual([])
  process.kill()
  await process
  await close()
})

test('it is for this machine and those of the same person; who is somebody else is told whose it is', async () => {
  expect((await ask('n2', '')).status).toBe(200)
  expect((await ask('n1', '')).status).toBe(200)
  expect(await ask('n3', '')).toEqual({
    status: 403,
    text: expect.stringMatching(/^n3\S* belongs to stranger, n1 belongs to lab\n$/),
  })
  for (const path of ['events', 'metrics', 'page.js', 'machine?name=n1'])
    expect((await ask('n3', path)).status, path).toBe(403)
  expect((await ask('n3', '', ['-H', 'X-Forwarded-For: 127.0.0.1'])).status).toBe(403)
  expect((await ask('n2', '', ['-H', 'Host: evil.example.invalid'])).status).toBe(421)
  expect((await ask('n2', '', ['-X', 'POST', '-d', 'x=1'])).status).toBe(405)
})

test('Prometheus gets the whole mesh, and promtool has nothing to say', async () => {
  const { status, text } = await ask('n2', 'metrics')
  expect(status).toBe(200)
  expect(text).toMatch(/^resource_sharing_node_up\{host="n4"\} 1$/m)
  expect(text).toMatch(/^resource_sharing_cpus\{host="n4"\} 4$/m)
  expect(text).toMatch(/^resource_sharing_mesh_rule [123]$/m)
  if (!withoutPromtool) expect(await promtoolCheck(`${text}\n`)).toEqual({ exitCode: 0, said: '' })
})

test('a port that is taken is one line', async () => {
  const { exitCode, stdout, stderr } = await lab.exec('n1', COMMAND, AT_HOME)
  expect([exitCode, stdout]).toEqual([1, ''])
  expect(stderr).toBe(
    "can't listen on 127.0.0.1, port 8642: something listens there already: stop it, or say another port, as in --serve 8643",
  )
})

test('beyond the tailnet it is served only with a token, which lets in whoever says it', async () => {
  const refused = await lab.exec('n1', [...COMMAND, '0.0.0.0:8700'], AT_HOME)
  expect([refused.exitCode, refused.stderr]).toEqual([
    2,
    expect.stringMatching(
      /^--serve "0\.0\.0\.0:8700" is open beyond this machine and its tailnet: say --token-file FILE/,
    ),
  ])
  const open = await serve(['0.0.0.0:8700', '--token-file', '/root/token', '--interval', '5'])
  const lan = lab.nodes.find(({ name }) => name === 'n1')?.lanIp ?? ''
  const get = async (node: string, address: string, ...args: string[]) => {
    const command = [
      'curl',
      '-s',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      ...args,
      `http://${address}:8700/`,
    ]
    return (await lab.exec(node, command)).stdout
  }
  expect(await get('n2', n1)).toBe('200')
  expect(await get('n2', lan)).toBe('401')
  expect(await get('n3', n1)).toBe('401')
  expect(await get('n3', n1, '-u', `anybody:${TOKEN}`)).toBe('200')
  expect(await get('n2', lan, '-H', `Authorization: Bearer ${TOKEN}`)).toBe('200')
  expect(await get('n2', lan, '-H', `Authorization: Bearer ${TOKEN}x`)).toBe('401')
  const argv = await lab.exec('n1', ['ps', '-eo', 'args'])
  expect(argv.stdout).not.toContain(TOKEN)
  await signal('INT', '8700')
  expect((await open.serving).exitCode).toBe(130)
})

test('told to end, it lets who looks go, and leaves nothing running here or there', async () => {
  const { page, close } = await openPage(browser)
  await page.goto('http://n1:8642/')
  await expect.poll(() => page.locator('#connection').textContent(), SOON).toBe('live')
  const left = async (node: string, pattern: string) =>
    (await lab.exec(node, ['pgrep', '-fa', pattern])).stdout
  const [here, there] = ['^ssh[: ]|scripts/watch', 'sshd.*notty']
  expect(await left('n1', here)).not.toBe('')
  expect(await left('n4', there)).not.toBe('')
  await signal('TERM', '--exclude n3')
  const { exitCode, stderr } = await serving
  expect([exitCode, stderr.split('\n').at(-1)]).toEqual([130, 'interrupted'])
  await expect.poll(() => page.locator('#connection').textContent(), SOON).toContain('no connection')
  expect(await left('n1', here)).toBe('')
  await expect.poll(() => left('n4', there), SOON).toBe('')
  await close()
})

// The last one: connections that an act has opened are kept for a minute, as those of its recipe are.
test('who says the token ends a process from the page, after a question; who does not, does not', async () => {
  const { process } = await lab.spawn(
    'n4',
    ['bash', '-c', 'printf victim >/proc/self/comm; while :; do :; done'],
    {
      timeoutMs: 120_000,
    },
  )
  const acting = await serve([
    '8701',
    '--token-file',
    '/root/token',
    '--allow',
    'kill,migrate',
    '--interval',
    '1',
  ])
  const at = `http://n1:8701/machine?name=n4`
  const press = async (options: Parameters<typeof openPage>[1]) => {
    const opened = await openPage(browser, options)
    await opened.page.goto(at)
    const row = opened.page.locator('#processes tr', { hasText: 'victim' })
    await row.getByRole('button', { name: 'End' }).click(SOON)
    expect(await opened.page.locator('#asked').textContent()).toMatch(/^End victim \(PID \d+\) on n4\?$/)
    return opened
  }
  const stranger = await press({})
  await stranger.page.getByRole('button', { name: 'Leave it' }).click()
  await stranger.page.getByRole('button', { name: 'End' }).first().click()
  await stranger.page.locator('#yes').click()
  await expect
    .poll(() => stranger.page.locator('#answer').textContent(), SOON)
    .toContain('has to say the token')
  await stranger.close()
  expect(process.exitCode).toBeNull()
  const owner = await press({ httpCredentials: { username: 'me', password: TOKEN } })
  await owner.page.locator('#yes').click()
  await process
  await expect
    .poll(() => owner.page.locator('#deeds').textContent(), SOON)
    .toMatch(/^\s*kill victim \(PID \d+\) on n4: (?:ended|terminated|killed)/)
  await expect.poll(() => owner.page.locator('#processes').textContent(), SOON).not.toContain('victim')
  // Of its own session, without what the lab's own programs hold open.
  const bare = 'import os,sys; os.closerange(3,256); os.execvp(sys.argv[1],sys.argv[1:])'
  const mover = 'printf mover >/proc/self/comm; while :; do sleep 0.05; done'
  const start = `setsid python3 -c '${bare}' sh -c '${mover}' </dev/null >/dev/null 2>&1 &`
  await lab.exec('n4', ['sh', '-c', start], { cwd: '/' })
  await owner.page
    .locator('#processes tr', { hasText: 'mover' })
    .getByRole('button', { name: 'Migrate' })
    .click(SOON)
  await owner.page.locator('#yes').click()
  await expect
    .poll(() => owner.page.locator('#deeds li').first().textContent(), SOON)
    .toMatch(/^migrate mover \(PID \d+\) on n4: moved to n[12], stood still for/)
  expect(owner.complaints.filter((text) => !text.includes('401'))).toEqual([])
  await owner.close()
  await signal('INT', '8701')
  expect((await acting.serving).exitCode).toBe(130)
})
