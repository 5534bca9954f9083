#!/usr/bin/env tsx
/**
 * skill-install: give agents the skill of this program.
 *
 * Usage: just skill-install [options]
 *
 * Copies skills/resource-sharing to where Claude Code, and other agents that read skills, look for it, and writes into the
 * copy where this program is: run it again when that has moved, and after an update. An earlier copy is replaced, with
 * what was changed in it. What is not a copy of this skill, or has files that are not of it, is left alone.
 *
 *   --to DIR      the folder that has the skills (~/.claude/skills); the copy is DIR/resource-sharing
 *   --json        one JSON document
 *   -q, --quiet   print nothing when all is well
 *   -h, --help    this text
 *
 * Exit codes: 0 done, 1 failed, 2 usage, 5 refused because something else is there, or another
 * skill-install is under way.
 */
import { recipe } from '../cli/recipe.ts'
import { EXIT } from '../lib/base/errors.ts'
import { plain } from '../lib/base/text.ts'
import { skillInstall } from '../verbs/agents/skill-install.ts'

const options = { to: { type: 'string' } } as const

await recipe(import.meta.filename, options, async ({ values, print, printJson, deps }) => {
  const result = await skillInstall({ to: values.to })
  if (values.json) printJson(result)
  else if (!values.quiet) print(plain(result.skill, 4096))
  deps.hint('an agent that runs already finds it when it is started again')
  return EXIT.done
})
