#!/usr/bin/env tsx
/**
 * completions: recipes, flags, machines, jobs and migrations when you press Tab.
 *
 * Usage: just completions bash|zsh|fish [options]
 *
 * Prints a script for that shell, to be read by it: `source <(just completions bash)` in ~/.bashrc, the same with zsh in
 * ~/.zshrc below compinit, `just completions fish | source` in ~/.config/fish/config.fish. Where another justfile is
 * meant, just's own completion answers, as before. No machine is asked, and nothing is written down.
 *
 *   --command NAME   complete this command too, which stands for just with this justfile: an alias or a function
 *   -h, --help       this text
 *
 * Exit codes: 0 done, 1 failed, 2 usage.
 */
import { commandNamed, completionScript, shellNamed } from '../cli/completion-script.ts'
import { sourcesHere } from '../cli/completion-sources.ts'
import { offerFor, offerLines } from '../cli/completion.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT, UsageError } from '../lib/base/errors.ts'

/**
 * Whatever hangs, who has pressed Tab has their prompt again. A file that is never read to its end would keep
 * `process.exit` waiting.
 */
const DEADLINE_MS = 3000

await recipe(
  import.meta.filename,
  { command: { type: 'string' } },
  async ({ values, operands: [action, ...words], print, signal }) => {
    if (values.json) throw new UsageError('completions prints a script, and no document: leave --json out')
    if (action === 'words') {
      // What the scripts ask at each Tab, with the words of the line after `--`.
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), DEADLINE_MS).unref()
      offerLines(await offerFor(words, sourcesHere(signal))).forEach((line) => print(line))
      return EXIT.done
    }
    const shell = shellNamed(action === undefined ? [] : [action, ...words])
    print(completionScript(shell, commandNamed(values.command)).trimEnd())
    return EXIT.done
  },
  { operands: true },
)
