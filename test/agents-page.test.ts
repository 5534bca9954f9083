import { mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { markdownTable } from './markdown-table.ts'
import { ALLOWANCES, SETS, toolsFor } from '../verbs/mcp/tools.ts'
import { Session } from './verbs/mcp/session.ts'

// After a change of a tool: npx vitest run --project unit agents-page -u
const ROOT = join(import.meta.dirname, '..')
const PAGE = join(ROOT, 'docs/agents.md')
const [BEGIN, END] = ['<!-- begin of the table of tools -->', '<!-- end of the table of tools -->']

const page = readFileSync(PAGE, 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'rs-agents-'))
afterAll(async () => await rm(folder, { recursive: true }))

function blocks(language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm')
  return [...page.matchAll(fence)].map(([, text = '']) => text)
}

const NONE = new Set<never>()
const all = toolsFor(new Set(ALLOWANCES), new Set(SETS))
const always = new Set(toolsFor(NONE, NONE).map(({ verb }) => verb.name))
const wanted = new Set(toolsFor(NONE, new Set(SETS)).map(({ verb }) => verb.name))

test('its table of the tools is made of the tools', async () => {
  const [before = '', rest = ''] = page.split(BEGIN)
  const after = rest.split(END)[1]
  expect(after, 'docs/agents.md has the marks around its table').toBeDefined()
  await expect(`${before}${BEGIN}\n\n${table().join('\n')}\n\n${END}${after}`).toMatchFileSnapshot(PAGE)
})

test('a tool that needs no leave only looks, and one that needs it acts', () => {
  // Who wants the tools of LocalSend has given leave to all of them.
  for (const { verb } of all.filter(({ verb: { name } }) => always.has(name) || !wanted.has(name)))
    expect([verb.name, verb.effect.readOnlyHint]).toEqual([verb.name, always.has(verb.name)])
})

function table(): string[] {
  const rows = all.map(({ verb: { name, title, effect } }) => {
    const allow = ALLOWANCES.find((word) =>
      toolsFor(new Set([word]), NONE).some(({ verb }) => verb.name === name),
    )
    const acts = effect.destructiveHint === true ? 'acts, and something may be lost' : 'acts'
    return [
      `\`${name}\``,
      title,
      effect.readOnlyHint ? 'looks' : acts,
      always.has(name) ? '' : wanted.has(name) ? '`--tools localsend`' : `\`--allow ${allow}\``,
    ]
  })
  return markdownTable([['tool', 'what it is for', 'what it does', 'is there with'], ...rows])
}

const Server = z.strictObject({
  type: z.literal('stdio').optional(),
  command: z.string(),
  args: z.array(z.string()),
})
const Snippet = z.union([
  z.strictObject({ mcpServers: z.record(z.string(), Server) }).transform(({ mcpServers }) => mcpServers),
  z.strictObject({ servers: z.record(z.string(), Server) }).transform(({ servers }) => servers),
])
const Permissions = z.strictObject({ permissions: z.strictObject({ allow: z.array(z.string()) }) })

const json = blocks('json').map((text): unknown => JSON.parse(text))
const servers = [
  ...json
    .filter((each) => !Permissions.safeParse(each).success)
    .flatMap((each) => Object.entries(Snippet.parse(each))),
  ...blocks('sh').map((text): [string, z.output<typeof Server>] => {
    const [command = '', ...args] = text.trim().split(' -- ')[1]?.split(' ') ?? []
    return [/^claude mcp add --scope user ([\w-]+) -- /.exec(text)?.[1] ?? '', { command, args }]
  }),
]

describe('a snippet', () => {
  test('is there for each of five configurations, and all call the server by one name', () => {
    expect(servers.map(([name]) => name)).toEqual(Array.from({ length: 5 }, () => 'resource-sharing'))
  })

  test.each(servers.map(([, server]) => server))(
    'starts a server: $command $args',
    async ({ command, args }) => {
      expect([command, ...args.slice(0, 2)]).toEqual([
        'node',
        '/path/to/resource-sharing/cli/start.mjs',
        'scripts/mcp.ts',
      ])
      const own = args
        .slice(2)
        .map((arg) => (/^(?:\/path\/to\/project|\$\{workspaceFolder\})$/.test(arg) ? folder : arg))
      expect(own.filter((arg) => /[$/]/.test(arg) && arg !== folder)).toEqual([])
      const session = await new Session(own, { PATH: '/usr/bin:/bin' }).begin()
      const names = (await session.tools()).map(({ name }) => name)
      expect(names).toEqual(expect.arrayContaining([...always]))
      expect(names.includes('offload')).toBe(own.includes('--allow'))
      expect(await session.close()).toBe(0)
    },
  )

  test('that asks no more names just the tools that only look', () => {
    const [permissions] = json.flatMap((each) => Permissions.safeParse(each).data ?? [])
    expect(permissions?.permissions.allow).toEqual(
      [...always].map((name) => `mcp__resource-sharing__${name}`),
    )
  })
})
