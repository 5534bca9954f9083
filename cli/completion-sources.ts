import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { statePath } from '../lib/base/state-dir.ts'
import { silently } from '../verbs/verb.ts'
import { meshInput } from './mesh-options.ts'
import { recipesIn, usageIn } from './completion-usage.ts'
import type { Candidate, Sources } from './completion.ts'

const ROOT = join(import.meta.dirname, '..')
/** Who has pressed Tab does not wait longer for tailscale. */
const TAILNET_SECONDS = 1
/** A person looks for one of the last ones, and a list that does not fit on a screen is not read. */
const PAST_MIGRATIONS = 20

/** Candidates from this machine: no other one is asked, nothing is written down, and what fails is not offered. */
export function sourcesHere(signal: AbortSignal): Sources {
  return {
    recipes: async () => recipesIn(await readFile(join(ROOT, 'justfile'), 'utf8')),
    usage: async (script) => usageIn(await readFile(join(ROOT, script), 'utf8')),
    choices: async (recipe, flag) => await orNone(async () => await choices(recipe, flag)),
    machines: async (named) => await orNone(async () => await machines(named, signal)),
    jobs: async () => await orNone(jobs),
    migrations: async (which) => await orNone(async () => await migrations(which)),
  }
}

async function orNone(candidates: () => Promise<Candidate[]>): Promise<Candidate[]> {
  return await candidates().catch(() => [])
}

/** What the schemas of the recipe's verbs allow for a flag. */
async function choices(recipe: string, flag: string): Promise<Candidate[]> {
  if (recipe === 'mcp') return await allowances(flag)
  const { VERBS } = await import('../verbs/catalogue/catalogue.ts')
  const field = flag.replace(/^--/, '').replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
  const schemas = VERBS.filter((verb) => verb.recipe?.split(' ')[0] === recipe).map(
    ({ input }): unknown => input.shape[field],
  )
  const values = schemas.flatMap((schema) => enumOf(schema))
  return [...new Set(values)].map((value) => ({ value }))
}

/** The server of `just mcp` is no verb. */
async function allowances(flag: string): Promise<Candidate[]> {
  if (flag !== '--allow') return []
  const { ALLOWANCES } = await import('../verbs/mcp/tools.ts')
  return ALLOWANCES.map((value) => ({ value }))
}

/** The values of an enum of zod's, which may be optional. */
function enumOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  if ('options' in schema && Array.isArray(schema.options))
    return schema.options.filter((value) => typeof value === 'string')
  return 'unwrap' in schema && typeof schema.unwrap === 'function' ? enumOf(schema.unwrap()) : []
}

async function machines(
  named: Parameters<Sources['machines']>[0],
  signal: AbortSignal,
): Promise<Candidate[]> {
  const { nodesOf } = await import('../verbs/see/mesh.ts')
  const input = { ...(await meshInput(named)), timeoutSeconds: TAILNET_SECONDS }
  const nodes = await nodesOf(input, silently(signal))
  return nodes.map(({ name, os, self, left }) => {
    const about = self ? 'this machine' : (left?.reason ?? os)
    return { value: name, ...(about === 'unknown' ? {} : { about }) }
  })
}

async function jobs(): Promise<Candidate[]> {
  if (!(await isKept('jobs'))) return []
  const { readJobs } = await import('../lib/work/jobs/spool.ts')
  const { titleOf } = await import('../lib/work/jobs/job.ts')
  return (await readJobs())
    .toReversed()
    .map((job) => ({ value: job.id, about: `${job.now.state}: ${titleOf(job)}` }))
}

async function migrations(which: 'all' | 'open'): Promise<Candidate[]> {
  if (!(await isKept('migrations'))) return []
  const { journalsDir } = await import('../lib/work/migrate/folder.ts')
  const { Journal } = await import('../lib/work/migrate/journal.ts')
  const folder = await journalsDir()
  // Each by itself: `openJournals` also removes what is left of those that are over.
  const names = (await readdir(folder)).filter((name) => /^[a-z0-9]{12}$/.test(name))
  const journals = await Promise.all(names.map(async (name) => await Journal.open(join(folder, name))))
  const open = journals.flatMap((journal) => {
    if (!(journal instanceof Journal)) return []
    const { id, source, target, process } = journal.plan
    return { value: id, about: `open: ${source.name} → ${target.name}, ${process.command}` }
  })
  if (which === 'open') return open
  const { pastMigrations } = await import('../lib/work/migrate/history.ts')
  const past = (await pastMigrations()).slice(-PAST_MIGRATIONS).toReversed()
  const over = past.map(({ id, outcome, from, to, command }) => {
    return { value: id, about: `${outcome}: ${from} → ${to}, ${command}` }
  })
  return [...open, ...over]
}

/** Whether something of a kind was ever written down. Who reads by `stateDir` makes its folder, which a look must not. */
async function isKept(kind: string): Promise<boolean> {
  const found = await stat(join(statePath(), kind)).catch(() => undefined)
  return found?.isDirectory() ?? false
}
