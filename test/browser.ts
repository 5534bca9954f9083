import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'

const PROGRAM = '/usr/bin/chromium-headless-shell'

/**
 * Debian's Chromium without a window, as the lab's provisions install it.
 *
 * @param within the network namespace that it is in, so that it is a machine of the lab; else this machine's
 * @param names hosts that it finds at an address, `MAP n1 127.0.0.1`
 */
export async function openBrowser({
  within,
  names = [],
}: { within?: string; names?: string[] } = {}): Promise<Browser> {
  const folder = await mkdtemp(join(tmpdir(), 'rs-browser-'))
  const start = join(folder, 'start.sh')
  const enter = within === undefined ? '' : `nsenter --net=/run/netns/${within} -- `
  await writeFile(start, `#!/bin/sh\nexec ${enter}${PROGRAM} "$@"\n`, { mode: 0o755 })
  const rules = names.length > 0 ? [`--host-resolver-rules=${names.join(',')}`] : []
  const browser = await chromium.launch({ executablePath: start, args: ['--no-proxy-server', ...rules] })
  browser.once('disconnected', () => void rm(folder, { recursive: true, force: true }))
  return browser
}

/** A page that writes down what it was forbidden, what went wrong in it, and what it asked for. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}) {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const complaints: string[] = []
  const requests: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (request) => requests.push(request.url()))
  return { page, complaints, requests, close: async () => await context.close() }
}

/** Whether a page is wider than its window. */
export async function overflows(page: Page): Promise<boolean> {
  return await page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth')
}
