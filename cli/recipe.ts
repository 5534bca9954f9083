import { parseArgs, type ParseArgsConfig } from 'node:util'
import type { ChalkInstance } from 'chalk'
import { commandsStarted, type StartedCommand } from '../lib/base/commands-started.ts'
import { EXIT, Failure, InputError, Interrupted, UsageError } from '../lib/base/errors.ts'
import { commandLine } from '../lib/base/shell.ts'
import { palette } from '../lib/show/palette.ts'
import { progress } from '../lib/show/progress.ts'
import type { Deps } from '../verbs/verb.ts'
import { helpOf } from './header-comment.ts'
import { timeoutSecondsOf } from './numbers.ts'
import { asciiControls, messageOf, plain } from '../lib/base/text.ts'

/** Set by a person who wants to see more than one line. */
const DEBUG = process.env.DEBUG === 'resource-sharing'

/** How long after Ctrl-C a recipe may take to leave nothing behind. */
const CLEAN_UP_MS = 8000

type Options = NonNullable<ParseArgsConfig['options']>
type Parsed<O extends Options> = ReturnType<
  typeof parseArgs<{ options: O & typeof COMMON; strict: true; allowPositionals: true }>
>
export type Values<O extends Options> = Parsed<O>['values']

/** What every recipe takes. */
export const COMMON = {
  help: { type: 'boolean', short: 'h' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean', short: 'q' },
  timeout: { type: 'string' },
} as const

export type Context<O extends Options> = {
  values: Values<O>
  /** What stands on the command line besides options. Empty for a recipe that takes none. */
  operands: string[]
  /** Aborted with an `Interrupted` when the person presses Ctrl-C or somebody ends the program. */
  signal: AbortSignal
  colours: ChalkInstance
  /** Columns of the terminal; without one, no limit. */
  width: number
  /** Data, on standard output. */
  print: (line: string) => void
  /** A value as the one JSON document of `--json`, on standard output. */
  printJson: (value: unknown) => void
  /** What is not data, on standard error. */
  note: (line: string) => void
  /** What a verb is given. */
  deps: Deps
}

export type Takes = {
  operands: boolean
  /** The first operand begins a command: what follows is its own, options too. */
  command?: boolean
  /** The exit code of every failure of its own, where a command's exit code is passed on. */
  ownFailure?: number
}

/**
 * The entry of every script: arguments, signals, errors and the exit code. A script's header comment is its help.
 *
 * @param file path of the script
 * @param options what it takes besides the common ones
 * @param main returns the exit code; a `Failure` that it throws is printed as one line
 */
export async function recipe<const O extends Options>(
  file: string,
  options: O,
  main: (context: Context<O>) => Promise<number>,
  takes: Takes = { operands: false },
): Promise<void> {
  const aborter = new AbortController()
  if (DEBUG) showCommands()
  closeQuietly(process.stdout)
  closeQuietly(process.stderr)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      // A second signal changes nothing: a wrapper such as `npx just` sends one after the terminal's own.
      if (aborter.signal.aborted) return
      aborter.abort(new Interrupted('interrupted'))
      setTimeout(() => process.exit(EXIT.interrupted), CLEAN_UP_MS).unref()
    })
  try {
    const { values, positionals } = parse(options, takes)
    if (values.help) {
      print(await helpOf(file))
      return
    }
    // Malformed is malformed, also where the recipe has a time of its own.
    if (typeof values.timeout === 'string') timeoutSecondsOf(values.timeout)
    process.exitCode = await main({
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- strict parsing gives just what O says
      values: values as Values<O>,
      operands: positionals,
      signal: aborter.signal,
      colours: palette(process.stdout, process.env),
      width: process.stdout.columns || Number.POSITIVE_INFINITY,
      print,
      printJson: (value) => print(asciiControls(JSON.stringify(value, null, 2))),
      note,
      deps: depsOf(values, aborter.signal),
    })
  } catch (error) {
    const known = error instanceof Failure
    const own = error instanceof Interrupted ? undefined : takes.ownFailure
    process.exitCode = own ?? (known ? error.exitCode : EXIT.failed)
    note(known ? plain(messageFor(error), 500) : `this should not have happened: ${messageOf(error)}`)
    if (DEBUG) note(error instanceof Error ? String(error.stack) : String(error))
    else if (!known) note('run it again with DEBUG=resource-sharing to see where')
  }
}

/** What a verb that works for a person at a terminal is given. */
function depsOf(values: Arguments['values'], signal: AbortSignal): Deps {
  const quiet = values['quiet'] === true
  return {
    signal,
    warn: note,
    hint: quiet ? () => {} : note,
    progress: async (text) => await progress(process.stderr, text, !quiet),
    confirm: async (question) => {
      if (values['yes'] === true) return
      const { confirm } = await import('./confirm.ts')
      await confirm(question, signal)
    },
  }
}

/** A failure as a person at a terminal reads it: an input is a flag there. */
function messageFor(error: Failure): string {
  if (!(error instanceof InputError)) return error.message
  return `--${error.field.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} ${error.says}`
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function note(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** Each command that is run here is shown as it begins, so that a person can run it too. */
function showCommands(): void {
  commandsStarted.subscribe((command) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is published there
    const { file, args } = command as StartedCommand
    note(`+ ${plain(commandLine(file, args), 10_000)}`)
  })
}

/**
 * A reader that has seen enough (`| head -1`), or a terminal that is gone, is no error and no reason to leave half done
 * what is under way: what is printed from then on goes nowhere, and the exit code says how it ended.
 */
function closeQuietly(stream: NodeJS.WriteStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || error.code === 'EIO') return
    if (stream !== process.stderr) note(`the output can't be written: ${messageOf(error)}`)
    process.exit(EXIT.failed)
  })
}

function parse(own: Options, { operands: allowPositionals, command = false }: Takes): Arguments {
  const options = { ...COMMON, ...own }
  const args = process.argv.slice(2)
  const end = command ? beginningOfCommand(args, options) : args.length
  try {
    const { values, positionals } = parseArgs({
      args: args.slice(0, end),
      options,
      strict: true,
      allowPositionals,
    })
    return { values, positionals: [...positionals, ...args.slice(end)] }
  } catch (error) {
    if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
      throw new UsageError(`${usageMessage(error.message)} (--help lists what there is)`)
    throw error
  }
}

/** Where the first operand stands; `--` before it is left where the options are. */
function beginningOfCommand(args: string[], options: Options): number {
  const { tokens } = parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true })
  const first = tokens.find(({ kind }) => kind === 'positional' || kind === 'option-terminator')
  if (first === undefined) return args.length
  return first.kind === 'positional' ? first.index : first.index + 1
}

type Arguments = { values: { help?: boolean } & Record<string, unknown>; positionals: string[] }

/** What `parseArgs` found wrong, in one line that names the flag and says what to do. */
function usageMessage(message: string): string {
  const flag = /'(?:-\w, )?(--?[^' ]+)/.exec(message)?.[1] ?? ''
  if (message.startsWith('Unknown option')) return `unknown option ${flag}`
  if (message.startsWith('Unexpected argument'))
    return `unexpected argument ${/'(.*?)'/s.exec(message)?.[1] ?? ''}`
  if (message.includes('ambiguous'))
    return `${flag} needs a value; one that begins with a dash is written ${flag}=VALUE`
  if (message.includes('argument missing')) return `${flag} needs a value`
  if (message.includes('does not take an argument')) return `${flag} takes no value`
  return message
}
