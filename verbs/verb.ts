import type { z } from 'zod'
import { InputError, UsageError } from '../lib/base/errors.ts'
import { plain, quoted } from '../lib/base/text.ts'

/** What is under way, shown to who waits for it. */
export type Progress = {
  /** @param share how much of it is done, from 0 to 1, where that is known */
  update: (text: string, share?: number) => void
  stop: () => void
}

/** What a verb is given besides its input: whom it works for. It prints nothing and reads no command line. */
export type Deps = {
  /** Aborted with the reason that the verb then throws, once everything that it has begun is ended, elsewhere too. */
  signal: AbortSignal
  /** Something that the person has to know, also one who wants to hear little. One line, safe to print. */
  warn: (line: string) => void
  /** Something that helps, and that one who wants to hear little does without. One line, safe to print. */
  hint: (line: string) => void
  progress: (text: string) => Promise<Progress>
  /** Asks the person before something is ended or moved. @throws when it must not be done */
  confirm: (question: string) => Promise<void>
}

/** For who wants the result alone, and has decided already. */
export function silently(signal: AbortSignal): Deps {
  const nothing = () => {}
  return {
    signal,
    warn: nothing,
    hint: nothing,
    progress: async () => ({ update: nothing, stop: nothing }),
    confirm: async () => {},
  }
}

/** What a verb does to the world, as the annotations of the Model Context Protocol have it. */
export type Effect = {
  /** It changes nothing. */
  readOnlyHint: boolean
  /** It may end or replace something, rather than only add. */
  destructiveHint?: boolean
  /** Said again with the same input, it changes nothing more. */
  idempotentHint?: boolean
  /** It asks or changes other machines. */
  openWorldHint: boolean
}

/**
 * Something that this program can do, for people, scripts and agents alike. Its schemas are the one definition of what it
 * takes and gives: flags, `--json`, the tools of `just mcp` and their documentation come from them.
 */
export type Definition<Input extends z.ZodObject, Result extends z.ZodType> = {
  /** Words with `_` between them, as agents call it. */
  name: string
  /** The command line whose `--json` prints the result, without `just`; absent where there is none. */
  recipe?: string
  /** For a person who is asked whether an agent may do it. */
  title: string
  /** For an agent: what it does, when to use it, what to do next. */
  description: string
  effect: Effect
  input: Input
  result: Result
  /** What `--json` prints a line of as each thing happens, where that is not the result. */
  lines?: z.ZodType
  /** What does it, loaded when it is wanted. Throws the errors of `lib/base/errors.ts`. */
  load: () => Promise<(input: z.output<Input>, deps: Deps) => Promise<z.output<Result>>>
}

/** A verb whose types are not known where it is called. */
export type Verb = Omit<Definition<z.ZodObject, z.ZodType>, 'load'> & {
  /** Does it. @throws InputError when the input does not fit the schema, and what the verb throws */
  call: (input: unknown, deps: Deps) => Promise<unknown>
}

export function verb<Input extends z.ZodObject, Result extends z.ZodType>({
  load,
  ...definition
}: Definition<Input, Result>): Verb {
  return {
    ...definition,
    call: async (input, deps) => {
      const known = parseInput(definition.input, input)
      const run = await load()
      return await run(known, deps)
    },
  }
}

/** An input as its schema has it. @throws InputError that names what does not fit */
export function parseInput<Input extends z.ZodObject>(schema: Input, input: unknown): z.output<Input> {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  throw misfit(parsed.error, input)
}

/** The first thing that is wrong with an input, by its name. */
function misfit({ issues }: z.ZodError, input: unknown): UsageError {
  const [issue] = issues
  const [field, ...deeper] = issue?.path ?? []
  if (issue === undefined || field === undefined)
    return new UsageError(issue?.message ?? 'the input does not fit')
  const value: unknown = issue.path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
    input,
  )
  const where = deeper.length > 0 ? ` (at ${deeper.map(String).join('.')})` : ''
  const given = typeof value === 'string' ? quoted(value) : plain(JSON.stringify(value) ?? 'nothing', 60)
  return new InputError(String(field), `got ${given}${where}: ${issue.message}`)
}
