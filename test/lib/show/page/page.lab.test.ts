import { createServer } from 'node:http'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { plain } from '../../../../lib/base/text.ts'
import { meshSite } from '../../../../lib/show/page/site.ts'
import { startServer, type Serving } from '../../../../verbs/web/server.ts'
import { openBrowser, openPage, overflows } from '../../../browser.ts'
import { AMesh, failed, measured, process } from './a-mesh.ts'
import { ATTACKS } from './attacks.ts'
import { intrude, poorContrasts, turnAway, turnBack } from './in-page.js'

// Real pages in a real browser, of a mesh that the tests make up.
const SOON = { timeout: 20_000 }
const RULES = { names: new Set<string>(), owner: undefined, whoIs: async () => undefined }
const AUDIENCE = { audience: { tickMs: 50 } }

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser({ names: ['MAP evil.test 127.0.0.1'] })
})
afterAll(async () => await browser?.close())

let mesh: AMesh
let serving: Serving
let url = ''
const serve = async (port = 0) => {
  serving = await startServer(await meshSite(mesh, () => ({ migrations: [], jobs: [] })), {
    listen: ['127.0.0.1'],
    port,
    rules: RULES,
    limits: AUDIENCE,
  })
  url = `http://127.0.0.1:${serving.port}`
}
beforeEach(async () => {
  mesh = new AMesh(
    measured('n1', 0.4, 4, { self: true }),
    measured('n2', 2, 4, { list: [process('make', 90)] }),
    failed('n3', 'no route to host'),
  )
  await serve()
})
afterEach(async () => await serving.close())

const names = async (page: Awaited<ReturnType<typeof openPage>>['page']) =>
  await page.locator('#machines tr').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-key')))

test('a page follows the mesh: a load that changes, a machine that comes, fails, and goes', async () => {
  const { page, complaints, close } = await openPage(browser)
  await page.goto(url)
  const row = page.locator('[data-key="n2"]')
  await expect.poll(() => page.locator('#connection').textContent(), SOON).toBe('live')
  expect(await row.textContent()).toContain('0 ERGODIC')
  // A row that stays is the same element: what is selected in it, or read aloud, stays too.
  await row.evaluate((element) => element.setAttribute('data-kept', ''))
  mesh.put(measured('n2', 7, 4, { list: [process('cc1', 99)] }), measured('n4', 1, 8))
  await expect.poll(() => row.textContent(), SOON).toMatch(/\+1 PLUS.*1\.75.*cc1 99\u00A0%/s)
  expect(await row.getAttribute('data-level')).toBe('plus')
  expect(await row.getAttribute('data-kept')).toBe('')
  expect(await row.locator('meter').getAttribute('value')).toBe('1.75')
  expect(await names(page)).toEqual(['n1', 'n2', 'n3', 'n4'])
  mesh.put(failed('n2', 'it took too long'))
  await expect.poll(() => row.textContent(), SOON).toMatch(/unreachable.*it took too long/s)
  expect(await row.locator('meter').isHidden()).toBe(true)
  mesh.machines.delete('n2')
  await expect.poll(() => names(page), SOON).toEqual(['n1', 'n3', 'n4'])
  expect(complaints).toEqual([])
  await close()
})

test('the fullest first: rows change places as loads do', async () => {
  const { page, close } = await openPage(browser)
  await page.goto(url)
  await page.getByRole('link', { name: 'fullest first' }).click()
  await expect.poll(() => names(page), SOON).toEqual(['n2', 'n1', 'n3'])
  mesh.put(measured('n1', 8, 4, { self: true }))
  await expect.poll(() => names(page), SOON).toEqual(['n1', 'n2', 'n3'])
  await close()
})

test('from a machine’s name to its processes, and back', async () => {
  const { page, complaints, close } = await openPage(browser)
  await page.goto(url)
  await page.getByRole('link', { name: 'n2' }).click()
  await expect.poll(() => page.locator('#processes').textContent(), SOON).toMatch(/make.*90\.0 %/s)
  mesh.put(measured('n2', 2, 4, { list: [process('ld', 50, 7), process('make', 95)] }))
  await expect.poll(() => page.locator('#processes tr').count(), SOON).toBe(2)
  mesh.put(measured('n2', 2, 4, { list: [] }))
  await expect.poll(() => page.locator('#processesKnown').textContent(), SOON).toContain('not known')
  await page.getByRole('link', { name: 'All machines' }).click()
  await expect.poll(() => names(page), SOON).toEqual(['n1', 'n2', 'n3'])
  expect(complaints).toEqual([])
  await close()
})

test('without JavaScript it is a table that the browser asks for again', async () => {
  const { page, requests, close } = await openPage(browser, { javaScriptEnabled: false })
  await page.goto(url)
  expect(await page.locator('[data-key="n2"]').innerText()).toContain('0 ERGODIC')
  expect(await page.locator('#time').innerText()).toMatch(/^as of \d\d:\d\d:\d\d UTC$/)
  mesh.put(measured('n2', 7, 4))
  await expect.poll(() => page.locator('[data-key="n2"]').innerText(), SOON).toContain('+1 PLUS')
  expect(requests.some((asked) => asked.endsWith('/events') || asked.endsWith('/page.js'))).toBe(false)
  await close()
})

test('whatever machines, processes and reasons are called, nothing of it runs, and all of it can be read', async () => {
  const { page, complaints, requests, close } = await openPage(browser)
  // Half of them are in the document that comes first, the other half comes as news.
  const half = Math.ceil(ATTACKS.length / 2)
  const put = (attacks: readonly string[]) =>
    attacks.forEach((attack) =>
      mesh.put(
        measured(`m ${attack}`, 7, 4, { closed: attack, list: [process(attack, 80)] }),
        failed(`f ${attack}`, attack),
        failed(`s ${attack}`, attack, 'skipped'),
      ),
    )
  put(ATTACKS.slice(0, half))
  await page.goto(url)
  await expect.poll(() => page.locator('#connection').textContent(), SOON).toBe('live')
  put(ATTACKS.slice(half))
  await expect.poll(() => page.locator('#machines tr').count(), SOON).toBe(3 + 2 * ATTACKS.length)
  const shown = await page.locator('#machines tr').evaluateAll((rows) => rows.map((row) => row.textContent))
  for (const attack of ATTACKS) {
    expect(
      shown.filter((text) => text?.includes(plain(`closed: ${attack}`))),
      attack,
    ).not.toEqual([])
    expect(
      shown.filter((text) => text?.includes(`${plain(attack, 40)} 80\u00A0%`)),
      attack,
    ).not.toEqual([])
  }
  for (const link of await page.locator('#machines a').all())
    expect(await link.getAttribute('href')).toMatch(/^\/machine\?name=/)
  await page.goto(`${url}/machine?name=${encodeURIComponent(`m ${ATTACKS[0]}`)}`)
  await expect.poll(() => page.locator('#processes').textContent(), SOON).toContain(ATTACKS[0])
  expect(await page.title()).toBe(`m ${ATTACKS[0]}`)
  expect(await page.evaluate('typeof window.hit')).toBe('undefined')
  expect(await page.locator('script').count()).toBe(1)
  expect(requests.filter((asked) => !asked.startsWith(`${url}/`))).toEqual([])
  expect(complaints).toEqual([])
  await close()
})

test('the policy would stop what got into the page all the same', async () => {
  const { page, complaints, close } = await openPage(browser)
  await page.goto(url)
  expect(await page.evaluate(intrude)).toContain('TrustedHTML')
  expect(await page.evaluate('typeof window.hit')).toBe('undefined')
  expect(complaints.join()).toContain('TrustedScript')
  await close()
})

test('a connection that is lost is told, and found again', async () => {
  const { page, close } = await openPage(browser)
  await page.goto(url)
  const state = () => page.locator('#connection').textContent()
  await expect.poll(state, SOON).toBe('live')
  await serving.close()
  await expect.poll(state, SOON).toBe('no connection: what is shown is old')
  mesh.put(measured('n2', 7, 4))
  await serve(serving.port)
  await expect.poll(state, SOON).toBe('live')
  await expect.poll(() => page.locator('[data-key="n2"]').textContent(), SOON).toContain('+1 PLUS')
  await close()
})

test('a page that nobody sees is not kept up to date, until somebody does', async () => {
  const looked: string[] = []
  mesh.lookAt = () => {
    looked.push('begins')
    return () => looked.push('ends')
  }
  const { page, close } = await openPage(browser)
  await page.goto(`${url}/machine?name=n2`)
  await expect.poll(() => looked, SOON).toEqual(['begins'])
  await page.evaluate(turnAway)
  await expect.poll(() => looked, SOON).toEqual(['begins', 'ends'])
  await page.evaluate(turnBack)
  await expect.poll(() => looked, SOON).toEqual(['begins', 'ends', 'begins'])
  await close()
  await expect.poll(() => looked.length, SOON).toBe(4)
})

test('another site can neither read it, nor frame it, nor bring its own name to lead here', async () => {
  const other = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html')
    response.end(`<!doctype html><title>other</title><iframe src="${url}"></iframe><script>
      window.seen = []
      const note = (what) => window.seen.push(what)
      fetch('${url}/').then((answer) => answer.text()).then(note, () => note('fetch failed'))
      fetch('${url}/metrics', { mode: 'no-cors' }).then((answer) => note(answer.type), () => note('no-cors failed'))
      const events = new EventSource('${url}/events')
      events.onopen = () => note('events open')
      events.onerror = () => { events.close(); note('events failed') }
    </script>`)
  })
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { page, close } = await openPage(browser)
  const address = other.address()
  const port = typeof address === 'object' && address ? address.port : 0
  await page.goto(`http://127.0.0.1:${port}/`)
  const seen = async () => await page.evaluate<string[]>('window.seen.toSorted()')
  await expect.poll(seen, SOON).toEqual(['events failed', 'fetch failed', 'no-cors failed'])
  const frame = page.frames().find((each) => each !== page.mainFrame())
  expect(await frame?.locator('#machines').count()).toBe(0)
  const answer = await page.goto(url.replace('127.0.0.1', 'evil.test'))
  expect([answer?.status(), await answer?.text()]).toEqual([
    421,
    'this machine is not called so: open the page by its address\n',
  ])
  await close()
  other.close()
})

test.each([
  [320, 'light'],
  [375, 'dark'],
  [800, 'light'],
  [970, 'light'],
  [1160, 'dark'],
  [1280, 'dark'],
  [2560, 'light'],
] as const)(
  '%i pixels, %s: no wider than its window, a table to who hears it, and enough contrast',
  async (width, colorScheme) => {
    mesh.put(
      measured('a-machine-with-a-long-name-as-some-have-them', 7, 4, {
        list: [process('x'.repeat(40), 399)],
      }),
      failed(
        'n9',
        'ssh: connect to host 100.64.0.6 port 22: No route to host, whatever was tried '.repeat(2),
      ),
    )
    const { page, close } = await openPage(browser, { viewport: { width, height: 800 }, colorScheme })
    for (const path of ['/', '/machine?name=n2']) {
      await page.goto(url + path)
      await expect.poll(() => page.locator('#connection').textContent(), SOON).toBe('live')
      expect(await overflows(page), path).toBe(false)
      expect(await page.getByRole('rowheader').count()).toBeGreaterThan(0)
      expect(await page.getByRole('status').count()).toBeGreaterThan(0)
      expect(await page.evaluate(poorContrasts), path).toEqual([])
    }
    await page.goto(url)
    const table = page.getByRole('table', { name: 'The machines of the mesh' })
    expect(await table.getByRole('row').count()).toBe(1 + mesh.machines.size)
    expect(await table.getByRole('columnheader').first().textContent()).toBe('Machine')
    await close()
  },
)
