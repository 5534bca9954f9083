import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')

/** The packages that a file needs to start, by way of others too. Types, and what is loaded later, don't count. */
function needed(entry: string): string[] {
  const [files, packages, open] = [new Set<string>(), new Set<string>(), [entry]]
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (files.has(path)) continue
    files.add(path)
    const text = readFileSync(join(ROOT, path), 'utf8')
    for (const [, clause = '', from = ''] of text.matchAll(/^import ([^;]*?) from '([^']+)'$/gms)) {
      const names = /^\{(.*)\}$/s.exec(clause)?.[1]?.split(',') ?? []
      const onlyTypes = names.length > 0 && names.every((name) => /^\s*(?:type .*)?$/s.test(name))
      if (clause.startsWith('type ') || onlyTypes || from.startsWith('node:')) continue
      if (from.startsWith('.')) open.push(normalize(join(dirname(path), from)))
      else packages.add(from)
    }
  }
  return [...packages]
}

// A package more is up to a hundred milliseconds more, for who types a command and for cron each minute.
const EVERY = ['chalk']
const MESH = [...EVERY, 'p-map']
const KEPT = [...EVERY, 'zod']
const PIPED = [...MESH, 'execa', 'zod']
const NEEDED: Record<string, string[]> = {
  agent: EVERY,
  attach: [...MESH, 'zod'],
  close: MESH,
  completions: EVERY,
  'cron-install': EVERY,
  'cron-remove': EVERY,
  'cron-show': EVERY,
  doctor: [...MESH, 'zod'],
  enqueue: PIPED,
  'find-minus': MESH,
  jobs: PIPED,
  mcp: [...MESH, '@modelcontextprotocol/server', '@modelcontextprotocol/server/stdio', 'p-limit', 'zod'],
  'mesh-balance': MESH,
  'migrate-recover': PIPED,
  'migrate-scum': PIPED,
  migrations: PIPED,
  'nats-setup': EVERY,
  'node-trit': EVERY,
  offload: PIPED,
  open: MESH,
  peers: [...MESH, 'zod'],
  rebalance: PIPED,
  receive: KEPT,
  'scum-kill': KEPT,
  'scum-throttle': KEPT,
  'scum-view': EVERY,
  'share-to-idle': PIPED,
  'skill-install': EVERY,
  throttled: KEPT,
  watch: EVERY,
}

test.each(readdirSync(join(ROOT, 'scripts')))(
  '%s loads no package to start that it does not need',
  (file) => {
    const allowed = NEEDED[file.replace('.ts', '')]
    expect(allowed, 'a recipe has a line above').toBeDefined()
    expect(needed(`scripts/${file}`).filter((name) => !allowed?.includes(name))).toEqual([])
  },
)

test('the help of a recipe needs no package', () => {
  expect(needed('cli/help.ts')).toEqual([])
})
