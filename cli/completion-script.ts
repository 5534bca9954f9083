import { readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../lib/base/errors.ts'
import { lastingNode } from '../lib/base/own-program.ts'
import { shellWord } from '../lib/base/shell.ts'
import { quoted } from '../lib/base/text.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** The shell that a person names. @throws UsageError */
export function shellNamed(operands: readonly string[]): Shell {
  const shell = SHELLS.find((each) => each === operands[0])
  if (shell !== undefined && operands.length === 1) return shell
  const given = operands.length === 0 ? 'nothing' : quoted(operands.join(' '))
  throw new UsageError(`completions takes bash, zsh or fish, not ${given}`)
}

/** The name of another command. It becomes a part of the script, so it is one that needs no quoting. @throws UsageError */
export function commandNamed(name: string | undefined): string | undefined {
  if (name === undefined || /^[A-Za-z0-9_][\w.+-]*$/.test(name)) return name
  throw new UsageError(`--command takes the name of a command, not ${quoted(name)}`)
}

/** The text that completes `just` in this shell, and another command that stands for it with this justfile. */
export function completionScript(shell: Shell, command: string | undefined, root = ROOT): string {
  const text = readFileSync(join(import.meta.dirname, `completion.${shell}`), 'utf8')
  const folder = realpathSync(root)
  const names = command === undefined || command === 'just' ? ['just'] : ['just', command]
  const assigned = Object.entries({ root: folder, node: lastingNode() }).map(([name, value]) =>
    shell === 'fish'
      ? `set --global __resource_sharing_${name} ${fishWord(value)}`
      : `_resource_sharing_${name}=${shellWord(value)}`,
  )
  const commands =
    shell === 'fish'
      ? `set --global __resource_sharing_commands ${names.join(' ')}`
      : `_resource_sharing_commands=(${names.join(' ')})`
  return [...assigned, commands, '', text].join('\n')
}

const ROOT = join(import.meta.dirname, '..')

/** A word that fish takes for just that. Between its single quotation marks a backslash may escape. */
function fishWord(word: string): string {
  return `'${word.replaceAll(/['\\]/g, String.raw`\$&`)}'`
}
