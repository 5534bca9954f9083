import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import type { Content } from '../../../verbs/web/news.ts'
import { startServer, type ServerLimits, type Serving, type Site } from '../../../verbs/web/server.ts'

/** A site whose content a test sets, with one machine, n1. */
export class ASite implements Site {
  shown: Content = contentOf('first')
  looked: string[] = []
  readonly files = new Map([['/page.css', { type: 'text/css', body: 'p {}' }]])

  content = (machine: string | undefined) =>
    machine === undefined || machine === 'n1' ? this.shown : undefined
  document = (path: string, query: URLSearchParams) =>
    path === '/' ? `<p>${query.get('order') ?? 'name'}</p>` : undefined
  metrics = (openMetrics: boolean) => (openMetrics ? 'x 1\n# EOF\n' : 'x 1\n')
  lookAt = (machine: string) => {
    this.looked.push(machine)
    return () => {
      this.looked = this.looked.filter((name) => name !== machine)
    }
  }
}

export function contentOf(text: string, rows: readonly string[] = []): Content {
  const all = rows.map((key) => ({ key, level: 'none', name: text }))
  return { texts: { text }, lists: {}, tables: { machines: { rows: all, orders: { name: [...rows] } } } }
}

/** A server of a site on the loopback, and how it is asked. */
export async function serve(
  site: Site,
  limits: Partial<ServerLimits> = {},
): Promise<Serving & { url: string }> {
  const rules = { names: new Set<string>(), owner: undefined, whoIs: async () => undefined }
  const serving = await startServer(site, { listen: ['127.0.0.1'], port: 0, rules, limits })
  return { ...serving, url: `http://127.0.0.1:${serving.port}` }
}

/** Events of a page as they come; `data` is what each said. */
export async function look(url: string, path = '/events') {
  const heard: { event: string; data: string }[] = []
  const asked = request(`${url}${path}`).on('error', () => {})
  const answered = once(asked, 'response')
  asked.end()
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the event comes with
  const [response] = (await answered) as [IncomingMessage]
  response.on('error', () => {}).setEncoding('utf8')
  let over = false
  response.once('close', () => {
    over = true
  })
  const parts: string[] = []
  response.on('data', (part: string) => {
    parts.push(part)
    // An event ends with an empty line, which may come in two parts.
    if (!part.includes('\n')) return
    const blocks = parts.splice(0).join('').split('\n\n')
    parts.push(blocks.pop() ?? '')
    for (const block of blocks) {
      const [first = '', data = ''] = block.split('\n')
      if (first.startsWith('event: ')) heard.push({ event: first.slice(7), data: data.slice(6) })
    }
  })
  const news = () =>
    heard.flatMap(({ event, data }): unknown[] => (event === 'news' ? [JSON.parse(data)] : []))
  return {
    response,
    heard,
    news,
    /** How many news there were. */
    count: () => heard.filter(({ event }) => event === 'news').length,
    over: () => over,
    leave: () => asked.destroy(),
  }
}
