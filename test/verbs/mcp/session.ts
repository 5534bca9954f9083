import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '../../..')

type Message = { id?: number | string | null; result?: Result; error?: { code: number; message: string } } & {
  method?: string
  params?: Record<string, unknown>
}
type Result = {
  content?: { text: string }[]
  isError?: boolean
  structuredContent?: Record<string, unknown>
  tools?: { name: string }[]
}

/** `just mcp`, spoken to line by line, so that what no client would say can be said too. */
export class Session {
  readonly child: ChildProcessWithoutNullStreams
  /** All that it has said, in order. */
  readonly said: Message[] = []
  /** Lines of its standard output that are no JSON. */
  readonly strange: string[] = []
  stderr = ''
  readonly ended: Promise<number | null>
  #next = 1
  readonly #waiting = new Map<number | string, (message: Message) => void>()

  constructor(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
    const command = [join(ROOT, 'cli/start.mjs'), 'scripts/mcp.ts', ...args]
    this.child = spawn(process.execPath, command, { env: { ...process.env, ...env } })
    this.ended = once(this.child, 'close').then(([code]: (number | null)[]) => code ?? null)
    this.child.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString()
    })
    this.child.stdin.on('error', () => {}) // It may have ended.
    createInterface({ input: this.child.stdout }).on('line', (line) => this.#hear(line))
  }

  #hear(line: string): void {
    try {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the tests look at what it is
      const message = JSON.parse(line) as Message
      this.said.push(message)
      if (message.id !== undefined && message.id !== null) this.#waiting.get(message.id)?.(message)
    } catch {
      this.strange.push(line)
    }
  }

  write(text: string): void {
    this.child.stdin.write(text)
  }

  /** A request; its number, and the answer when it comes. */
  request(method: string, params: unknown = {}): { id: number; answer: Promise<Message> } {
    const id = this.#next++
    const answer = new Promise<Message>((resolve) => this.#waiting.set(id, resolve))
    this.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    return { id, answer }
  }

  notify(method: string, params: unknown = {}): void {
    this.write(`${JSON.stringify({ jsonrpc: '2.0', method, params })}\n`)
  }

  async begin(): Promise<this> {
    const client = { name: 'test', version: '1' }
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: client }
    await this.request('initialize', params).answer
    this.notify('notifications/initialized')
    return this
  }

  async call(name: string, args: unknown = {}): Promise<Message> {
    return await this.request('tools/call', { name, arguments: args }).answer
  }

  async tools(): Promise<{ name: string }[]> {
    return (await this.request('tools/list').answer).result?.tools ?? []
  }

  /** Closes its input, and waits for its end. */
  async close(): Promise<number | null> {
    this.child.stdin.end()
    return await this.ended
  }
}
