import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { VERBS } from '../../verbs/catalogue/catalogue.ts'

export const ROOT = join(import.meta.dirname, '../..')
export const SKILL = join(ROOT, 'skills/resource-sharing')

/** The skill's pages by their names, SKILL.md first. */
export function pages(): Map<string, string> {
  const references = readdirSync(join(SKILL, 'references')).map((name) => `references/${name}`)
  return new Map(['SKILL.md', ...references].map((name) => [name, readFileSync(join(SKILL, name), 'utf8')]))
}

/** What stands in code spans of a line of text. */
export function spans(text: string): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, '')
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span)
}

/** The lines of all blocks of code, without their comments. */
export function commands(): string[] {
  const blocks = [...pages().values()].flatMap((text) => [...text.matchAll(/^```\w*\n([\s\S]*?)^```/gm)])
  const lines = blocks.flatMap(([, block = '']) => block.split('\n'))
  return lines.map((line) => line.replace(/(?:^| +)# .*$/, '').trim()).filter((line) => line !== '')
}

/** A command with values for the words in capitals, run by the copy of the skill that is named. */
export function filled(line: string, copy: string, values: Record<string, string>): string {
  const words = line.replaceAll(/\b(?:PID|HOST|NAME|ID)\b/g, (word) => values[word] ?? word)
  return words.replace(/^scripts\/rs/, `'${copy}/scripts/rs'`)
}

/** The document that a command with `--json` has printed. @throws where it is not as the schema of its recipe has it */
export function documentOf(line: string, stdout: string): unknown {
  const [, name, ...words] = line.split(' ')
  const candidates = VERBS.flatMap((verb) =>
    verb.recipe === undefined ? [] : [{ verb, words: verb.recipe.split(' ') }],
  )
  const fitting = candidates.filter(
    (each) => each.words[0] === name && each.words.slice(1).every((word) => words.includes(word)),
  )
  const [best] = fitting.toSorted((a, b) => b.words.length - a.words.length)
  if (!best) throw new RangeError(`no recipe prints what is printed by: ${line}`)
  return best.verb.result.parse(JSON.parse(stdout))
}
