#!/usr/bin/env tsx
/**
 * release: gives what is unreleased a version: in CHANGELOG.md, package.json and package-lock.json, as a commit and a tag.
 *
 * Usage: just release VERSION [options]
 *
 * Nothing is pushed: the last line says what to run for that. Refused unless main is checked out with nothing
 * uncommitted, VERSION is greater than the one in package.json and has no tag yet, and CHANGELOG.md tells of something
 * that is unreleased.
 *
 *   --timeout S   seconds for each command of git (60)
 *   --json        one JSON document
 *   -q, --quiet   no hints on standard error
 *   -h, --help    this text
 *
 * Exit codes: 0 done, 1 failed and nothing is changed, 2 usage, 5 refused before anything was touched, 130 interrupted.
 */
import { timeoutSecondsOf } from '../cli/numbers.ts'
import { recipe } from '../cli/recipe.ts'
import { EXIT, UsageError } from '../lib/base/errors.ts'
import { makeRelease } from './make-release.ts'

await recipe(
  import.meta.filename,
  {},
  async ({ values, operands, signal, print, printJson, note }) => {
    const [version, ...more] = operands
    if (version === undefined || more.length > 0)
      throw new UsageError('give one version: just release VERSION')
    const limits = { timeoutMs: 1000 * (timeoutSecondsOf(values.timeout) ?? 60), signal }
    const date = new Date().toISOString().slice(0, 10)
    const tag = await makeRelease(version, process.cwd(), date, limits)
    const push = `git push --atomic origin main ${tag}`
    if (values.json) printJson({ version, tag, push })
    else if (!values.quiet) print(`${version} is committed and has the tag ${tag}`)
    if (!values.quiet) note(`nothing was pushed; then: ${push}`)
    return EXIT.done
  },
  { operands: true },
)
