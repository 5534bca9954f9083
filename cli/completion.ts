import { plain } from '../lib/base/text.ts'
import type { Flag, JustRecipe, Usage } from './completion-usage.ts'

/** A word that may stand where the cursor is. */
export type Candidate = {
  value: string
  about?: string
  /** What follows belongs to the same word. */
  unfinished?: true
}

/** What the shell offers. `besides`: what it knows better itself, names of files or what just's own completion says. */
export type Offer = { candidates: Candidate[]; besides?: 'files' | 'folders' | 'just' }

/** Where candidates come from that are not in the words. None of them throws: what can't be known is not offered. */
export type Sources = {
  recipes: () => Promise<JustRecipe[]>
  usage: (script: string) => Promise<Usage>
  /** Values of a flag that takes one of a few; empty where it takes another kind. */
  choices: (recipe: string, flag: string) => Promise<Candidate[]>
  /** Machines of the mesh that the flags of the line name. */
  machines: (named: MeshFlags) => Promise<Candidate[]>
  jobs: () => Promise<Candidate[]>
  /** All migrations, or only those that are not over. */
  migrations: (which: 'all' | 'open') => Promise<Candidate[]>
}

/** Which mesh the line is about. */
export type MeshFlags = { hosts: string[]; 'hosts-file': string[] }

const NOTHING: Offer = { candidates: [] }
const MACHINE_FLAGS = new Set(['--target', '--host', '--exclude'])

/**
 * What may stand in the place of the last word.
 *
 * @param words of a command line of just up to the cursor, without just itself; the last one is empty after a space
 */
export async function offerFor(words: readonly string[], sources: Sources): Promise<Offer> {
  const recipes = await sources.recipes()
  const current = words.at(-1) ?? ''
  let before = words.slice(0, -1)
  for (;;) {
    const place = before.findIndex((word) => recipes.some(({ name }) => name === word))
    if (place === -1) break
    const recipe = recipes.find(({ name }) => name === before[place])
    before = before.slice(place + 1)
    if (recipe?.takesWords) return await offerOf(recipe, before, current, sources)
  }
  // What just itself takes, and with which value, only just knows.
  if (current.startsWith('-') || before.at(-1)?.startsWith('-')) return { candidates: [], besides: 'just' }
  return { candidates: recipes.map(({ name, about }) => ({ value: name, about })) }
}

async function offerOf(
  { name, script }: JustRecipe,
  before: readonly string[],
  current: string,
  sources: Sources,
): Promise<Offer> {
  if (script === undefined) return NOTHING
  const usage = await sources.usage(script)
  const line = lineOf(usage, before)
  const about: About = { recipe: name, line, sources }
  if (line.pending !== undefined) return await valuesOf(line.pending, current, about)
  if (current.startsWith('-') && !line.ended) {
    const equals = current.indexOf('=')
    if (equals === -1) return { candidates: usage.flags.map((flag) => candidateOf(flag)) }
    const flag = flagNamed(usage, current.slice(0, equals))
    if (flag?.value === undefined) return NOTHING
    return after(current.slice(0, equals + 1), await valuesOf(flag, current.slice(equals + 1), about))
  }
  const next = placesAt(usage, line.operands)
  // Who takes no more operands is helped by the flags; a number or free text is not.
  if (next.length === 0 && current === '' && !line.ended)
    return { candidates: usage.flags.map((flag) => candidateOf(flag)) }
  return merged(await Promise.all(next.map(async (place) => await operandsOf(place, current, about))))
}

type About = { recipe: string; line: Line; sources: Sources }

/** The words of a recipe before the cursor. */
type Line = {
  operands: string[]
  /** The flag whose value comes next. */
  pending?: Flag
  /** No flag of the recipe's own comes any more. */
  ended: boolean
  mesh: MeshFlags
}

function lineOf(usage: Usage, words: readonly string[]): Line {
  const line: Line = { operands: [], ended: false, mesh: { hosts: [], 'hosts-file': [] } }
  const isCommand = usage.forms.some(({ places }) => places[0]?.includes('CMD'))
  for (const word of words) {
    const { pending } = line
    if (pending !== undefined) {
      delete line.pending
      remember(line.mesh, pending.name, word)
    } else if (line.ended || !/^-./.test(word)) {
      line.operands.push(word)
      if (isCommand) line.ended = true
    } else if (word === '--') line.ended = true
    else {
      const [, name = word, value] = /^(--[^=]*)=(.*)$/s.exec(word) ?? []
      const flag = flagNamed(usage, name)
      if (value !== undefined) remember(line.mesh, name, value)
      else if (flag?.value !== undefined) line.pending = flag
    }
  }
  return line
}

function remember(mesh: MeshFlags, flag: string, value: string): void {
  if (flag === '--hosts') mesh.hosts.push(value)
  else if (flag === '--hosts-file') mesh['hosts-file'].push(value)
}

function flagNamed({ flags }: Usage, name: string): Flag | undefined {
  return flags.find((flag) => flag.name === name || flag.short === name)
}

function candidateOf({ name, about }: Flag): Candidate {
  return { value: name, about }
}

type Place = { stands: string; about: string }

/** What may come after these operands, by every form that they fit. */
function placesAt({ forms }: Usage, operands: readonly string[]): Place[] {
  return forms.flatMap(({ places, repeats, about }) => {
    const fits = operands.every((operand, at) => {
      const allowed = places[at] ?? (repeats ? places.at(-1) : undefined)
      return allowed?.some((stands) => !isLiteral(stands) || stands === operand) ?? false
    })
    const next = places[operands.length] ?? (repeats ? places.at(-1) : undefined)
    return fits && next !== undefined ? next.map((stands) => ({ stands, about })) : []
  })
}

/** Whether a word of the help is to be written as it is: what stands for something else has capitals. */
function isLiteral(stands: string): boolean {
  return !/[A-Z]/.test(stands)
}

async function operandsOf(
  { stands, about }: Place,
  current: string,
  { recipe, line, sources }: About,
): Promise<Offer> {
  if (isLiteral(stands)) return { candidates: [{ value: stands, about }] }
  switch (stands) {
    case 'HOST':
      return { candidates: await sources.machines(line.mesh) }
    case 'HOST:PID': {
      if (current.includes(':')) return NOTHING
      const machines = await sources.machines(line.mesh)
      return { candidates: machines.map((each) => ({ ...each, value: `${each.value}:`, unfinished: true })) }
    }
    case 'ID': {
      const ids =
        recipe === 'jobs'
          ? await sources.jobs()
          : await sources.migrations(recipe === 'migrate-recover' ? 'open' : 'all')
      return { candidates: ids.filter(({ value }) => !line.operands.includes(value)) }
    }
    case 'CMD':
    case 'ARG':
      return { candidates: [], besides: 'files' }
    default:
      return besideOf(stands)
  }
}

/** What may stand as the value of a flag. */
async function valuesOf(flag: Flag, current: string, { recipe, line, sources }: About): Promise<Offer> {
  const { name, value = '', about } = flag
  if (isLiteral(value)) return { candidates: [{ value, about }] }
  const beside = besideOf(value)
  if (beside.besides !== undefined) return beside
  const candidates = MACHINE_FLAGS.has(name)
    ? await sources.machines(line.mesh)
    : // An agent may give a value that the recipe has a flag of its own for: the help tells which ones it takes.
      (await sources.choices(recipe, name)).filter((choice) => about.includes(choice.value))
  return value === 'A,B' ? listed(candidates, current) : { candidates }
}

function besideOf(stands: string): Offer {
  if (stands === 'FOLDER') return { candidates: [], besides: 'folders' }
  return /^(?:FILE|PATH|F\.prom)$/.test(stands) ? { candidates: [], besides: 'files' } : NOTHING
}

/** Candidates for the last element of a list with commas, without those that are in it. */
function listed(candidates: readonly Candidate[], current: string): Offer {
  const comma = current.lastIndexOf(',') + 1
  const there = current.slice(0, comma).split(',')
  const others = candidates.filter(({ value }) => !there.includes(value))
  return after(current.slice(0, comma), { candidates: others })
}

function after(beginning: string, { candidates, ...rest }: Offer): Offer {
  return { ...rest, candidates: candidates.map((each) => ({ ...each, value: beginning + each.value })) }
}

function merged(offers: readonly Offer[]): Offer {
  const besides = offers.find((offer) => offer.besides !== undefined)?.besides
  const candidates = offers.flatMap((offer) => offer.candidates)
  return { candidates, ...(besides === undefined ? {} : { besides }) }
}

/**
 * An offer as the shells' functions read it: a line each, `word` or `unfinished`, the value and what it is between tabs;
 * at the end what is offered besides.
 *
 * A value goes into somebody's command line: what a shell could take for anything but itself is not offered.
 */
export function offerLines({ candidates, besides }: Offer): string[] {
  const safe = candidates.filter(({ value }) => /^[\w@%+=:,./-]+$/.test(value))
  const lines = safe.map(({ value, about = '', unfinished }) => {
    return `${unfinished ? 'unfinished' : 'word'}\t${value}\t${plain(about.replaceAll('\t', ' '), 90)}`
  })
  return besides === undefined ? lines : [...lines, besides]
}
