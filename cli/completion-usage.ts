import { headerComment } from './header-comment.ts'

/** A recipe of the justfile, as far as its command line is concerned. */
export type JustRecipe = {
  name: string
  /** What `just --list` says of it. */
  about: string
  /** Whether it takes words of its own; after one that takes none, just expects another recipe. */
  takesWords: boolean
  /** Path of the script that it starts, from the root; absent where it starts none. */
  script?: string
}

/** A flag as the script's help has it. */
export type Flag = {
  /** With its dashes; the long one where there are two. */
  name: string
  short?: string
  /** What stands for its value, such as `NAME`; absent where it takes none. */
  value?: string
  about: string
}

/** One way to write the operands: at each place what may stand there, in the help's own words. */
export type Form = { places: string[][]; repeats: boolean; about: string }

export type Usage = { flags: Flag[]; forms: Form[] }

const RECIPE =
  /^(?:# (?<about>.*)\n)?(?<attributes>(?:\[.*\]\n)*)(?<name>[a-z][a-z0-9-]*)(?<takes>(?: [^:\n]+)?):\n(?<body>(?:[ \t]+.*\n?)*)/gm

/** The recipes of this justfile that a person may call. It is written in one shape, which a test holds it to. */
export function recipesIn(justfile: string): JustRecipe[] {
  return [...justfile.matchAll(RECIPE)].flatMap(({ groups = {} }) => {
    const { about = '', attributes = '', name = '', takes = '', body = '' } = groups
    if (attributes.includes('[private]')) return []
    const script = /[\w/-]+\.ts\b/.exec(body)?.[0]
    return { name, about, takesWords: takes !== '', ...(script === undefined ? {} : { script }) }
  })
}

/** The flags and operands in the header comment of a script, which is its help. */
export function usageIn(source: string): Usage {
  const lines = headerComment(source)
  const usages = lines.flatMap((line) => {
    const { form, about = '' } =
      /^ \* (?:Usage:| {6}) just \S+(?<form>.*?)(?: {2,}(?<about>.*))?$/.exec(line)?.groups ?? {}
    return form === undefined ? [] : { form, about }
  })
  const flags = lines.flatMap((line) => flagIn(line) ?? [])
  const known = new Set(flags.map(({ name }) => name))
  const others = usages.flatMap((usage) => flagsInUsage(usage)).filter(({ name }) => !known.has(name))
  return { flags: [...flags, ...others], forms: usages.map((usage) => formOf(usage)) }
}

function flagIn(line: string): Flag | undefined {
  const { short, name, value, about } =
    /^ \* {3}(?:(?<short>-\w), )?(?<name>--?\w[\w-]*)(?: (?<value>\S+))? +(?<about>.+)$/.exec(line)?.groups ??
    {}
  if (name === undefined || about === undefined) return undefined
  return {
    name,
    about,
    ...(short === undefined ? {} : { short }),
    ...(value === undefined ? {} : { value }),
  }
}

const BRACKETED = /\[(--[\w-]+)(?: ([^\]\s]+))?\]/g

/** A script with few flags explains them there: `[--seed S]` as one of several, or `--changed` on a line of its own. */
function flagsInUsage({ form, about }: { form: string; about: string }): Flag[] {
  const bracketed = [...form.matchAll(BRACKETED)].map(([, name = '', value]) => {
    return { name, about: '', ...(value === undefined ? {} : { value }) }
  })
  const alone = /^ (--[\w-]+)$/.exec(form)?.[1]
  return alone === undefined ? bracketed : [{ name: alone, about }, ...bracketed]
}

function formOf({ form, about }: { form: string; about: string }): Form {
  const words = form.replaceAll(BRACKETED, '').replaceAll(/[[\]]/g, '').split(/\s+/)
  const operands = words.filter((word) => word !== '' && word !== 'options' && !word.startsWith('-'))
  const places = operands.map((word) =>
    word
      .replaceAll('…', '')
      .split('|')
      .filter((each) => !each.startsWith('-')),
  )
  return { places, repeats: form.includes('…'), about }
}
