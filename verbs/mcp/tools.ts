import type { Tool as ListedTool } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { VERBS } from '../catalogue/catalogue.ts'
import type { Verb } from '../verb.ts'
import { inputSchemaOf, outlineOf } from './outline.ts'
import type { Roots } from './roots.ts'
import * as say from './sentences.ts'

/** What an agent may do besides looking, in the words of `--allow`. */
export const ALLOWANCES = ['migrate', 'throttle', 'offload', 'share', 'kill'] as const
export type Allowance = (typeof ALLOWANCES)[number]

/** Tools that are read by the model only where a person wants them, in the words of `--tools`. */
export const SETS = ['localsend'] as const
export type ToolSet = (typeof SETS)[number]

type Input = Record<string, unknown>

/** A verb as agents are offered it. */
export type Tool = {
  verb: Verb
  /** What an agent may say: of the verb's input a part, and how much of the result it wants. */
  input: z.ZodObject
  /** Whether its lists come in parts. */
  paged: boolean
  /** As `tools/list` has it. */
  listed: ListedTool
  /** The verb's input, with paths that were looked at. @throws Refused, InputError */
  prepare: (input: Input, roots: Roots, allowed: ReadonlySet<Allowance>) => Promise<Input>
  say: (result: unknown) => string
}

type Offer = {
  name: string
  /** Without one everybody may: it only looks. */
  allow?: Allowance
  /** Of the input, what an agent has no say in. */
  without?: readonly string[]
  /** Its lists are long in a large mesh: `limit` and `offset` say which part is wanted. */
  paged?: true
  prepare?: Tool['prepare']
  say: (result: never) => string
}

// Which machines there are is the person's to say, by --hosts or by the tailnet: an agent that could name any host would
// make this machine connect to it.
const MESH = ['hosts', 'source', 'sourceConfig', 'nodeLabel', 'exclude', 'fanout', 'timeoutSeconds'] as const

const work: Offer['prepare'] = async (input, roots) => {
  const send = await eachPath(input['send'], async (path) => await roots.existing(path, 'send'))
  // Where it comes back to: a link that lies there must not lead it elsewhere.
  await eachPath(input['return'], async (path) => await roots.folder(path))
  return { ...input, folder: roots.first(), ...(send ? { send } : {}) }
}

const OFFERS: readonly Offer[] = [
  { name: 'mesh_balance', without: MESH, paged: true, say: say.meshSentences },
  { name: 'find_minus', without: MESH, say: say.minusSentences },
  { name: 'node_trit', without: MESH, say: say.tritSentences },
  { name: 'scum_view', without: MESH, paged: true, say: say.scumSentences },
  {
    name: 'plan_rebalance',
    without: [...MESH, 'maxAgeSeconds', 'withTerminals'],
    paged: true,
    say: say.planSentences,
  },
  {
    name: 'migrate_preflight',
    without: [...MESH, 'via', 'keepImages', 'closeConnections', 'force'],
    say: say.preflightSentences,
  },
  {
    name: 'list_jobs',
    without: [...MESH, 'ask'],
    paged: true,
    // To ask where they run brings files back, which is more than to look.
    prepare: async (input, _roots, allowed) => ({ ...input, ask: allowed.has('offload') }),
    say: say.jobsSentences,
  },
  {
    name: 'migrate_scum',
    allow: 'migrate',
    without: [...MESH, 'via', 'keepImages', 'closeConnections', 'force'],
    say: say.movedSentences,
  },
  {
    name: 'scum_throttle',
    allow: 'throttle',
    without: [...MESH, 'host', 'by', 'force'],
    say: say.throttleSentences,
  },
  { name: 'scum_release', allow: 'throttle', without: [...MESH, 'host'], say: say.releaseSentences },
  { name: 'scum_kill', allow: 'kill', without: [...MESH, 'host', 'force'], say: say.killSentences },
  {
    name: 'offload',
    allow: 'offload',
    without: [...MESH, 'folder'],
    prepare: work,
    say: say.offloadSentences,
  },
  { name: 'enqueue', allow: 'offload', without: ['folder'], prepare: work, say: say.enqueueSentences },
  {
    name: 'share_to_idle',
    allow: 'share',
    without: [...MESH, 'port', 'dest', 'trustNew', 'insecureHttp'],
    prepare: async (input, roots) => {
      const paths = await eachPath(input['paths'], async (path) => {
        const real = await roots.existing(path, 'paths')
        await roots.mustHoldLinks(real)
        return real
      })
      return { ...input, paths }
    },
    say: say.shareSentences,
  },
]

/** By LocalSend alone: who starts the server with them has allowed them all. */
const LOCALSEND: readonly Offer[] = [
  { name: 'localsend_advertise', say: say.wholeSentence },
  { name: 'localsend_list_peers', say: say.wholeSentence },
  { name: 'localsend_negotiate', say: say.wholeSentence },
  {
    name: 'localsend_send',
    prepare: async (input, roots) => {
      const real = await roots.existing(String(input['file_path']), 'file_path')
      await roots.mustHoldLinks(real)
      return { ...input, file_path: real }
    },
    say: say.wholeSentence,
  },
  {
    name: 'localsend_receive',
    prepare: async (input, roots) =>
      input['accept'] === true
        ? { ...input, dest_dir: await roots.folder(String(input['dest_dir'])) }
        : input,
    say: say.wholeSentence,
  },
  { name: 'localsend_probe', say: say.wholeSentence },
  { name: 'localsend_session_status', say: say.wholeSentence },
]

const LIMIT = { least: 1, most: 500, usual: 50 } as const
const paging = {
  limit: z
    .int()
    .min(LIMIT.least)
    .max(LIMIT.most)
    .optional()
    .describe(`so many of each list (${LIMIT.usual})`),
  offset: z.int().min(0).optional(),
}

/** The tools that a person has allowed, and wants. */
export function toolsFor(allowed: ReadonlySet<Allowance>, sets: ReadonlySet<ToolSet>): Tool[] {
  const usual = OFFERS.filter(({ allow }) => allow === undefined || allowed.has(allow))
  return [...usual, ...(sets.has('localsend') ? LOCALSEND : [])].map((offer) => toolOf(offer))
}

function toolOf({ name, without = [], paged, prepare = async (input) => input, say: sayIt }: Offer): Tool {
  const verb = VERBS.find((each) => each.name === name)
  if (!verb) throw new RangeError(`there is no verb ${name}`)
  const shape = Object.entries(verb.input.shape).filter(([key]) => !without.includes(key))
  const input = z.strictObject({ ...Object.fromEntries(shape), ...(paged ? paging : {}) })
  const { title, description, effect } = verb
  return {
    verb,
    input,
    paged: paged ?? false,
    listed: {
      name,
      title,
      description,
      inputSchema: inputSchemaOf(input),
      outputSchema: outlineOf(verb.result),
      annotations: effect,
    },
    prepare,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the verb of the same name has given it
    say: (result) => sayIt(result as never),
  }
}

/**
 * A part of each list of a result, and how much of each is left: a large mesh does not fill a model's context.
 *
 * @returns `more`, by list, where something is left
 */
export function pageOf(
  result: unknown,
  { limit = LIMIT.usual, offset = 0 }: { limit?: number; offset?: number },
): { page: Record<string, unknown>; more: Record<string, number> } {
  const more: Record<string, number> = {}
  const page = Object.entries(typeof result === 'object' && result !== null ? result : {}).map(
    ([key, value]) => {
      if (!Array.isArray(value) || (offset === 0 && value.length <= limit)) return [key, value]
      const left = value.length - offset - limit
      if (left > 0) more[key] = left
      return [key, value.slice(offset, offset + limit)]
    },
  )
  return { page: Object.fromEntries(page), more }
}

async function eachPath(
  paths: unknown,
  look: (path: string) => Promise<string>,
): Promise<string[] | undefined> {
  if (!Array.isArray(paths)) return undefined
  return await Promise.all(paths.map(async (path) => await look(String(path))))
}
