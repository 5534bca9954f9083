/**
 * Everything that has to pass: format, lint, types, shellcheck, unit tests, and the tests in the lab.
 *
 * Usage: just test              all of it
 *        just test --changed    what the change touches: not committed, or not upstream yet
 *        just test WORD…        the tests of files with one of these words in their path
 *
 * The lab needs root and Linux, and what is written for a shell is looked at where shellcheck is installed; elsewhere the
 * rest is run, and the last lines say what was left out. With CI=true nothing may be left out, and the unit tests are run
 * on every supported version of Node. Files of lab tests run side by side, because they wait; what measures shares of CPU
 * runs at the end, alone.
 */
import { mkdir, rm } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { execa } from 'execa'
import { messageOf } from '../lib/base/text.ts'
import { testsOfChange } from './changed.ts'
import { provisionAll } from './lab/provision/everything.ts'
import { needRootAndLinux } from './lab/provision/provision.ts'
import { failures, readReport, slowest, totals } from './report.ts'

const CI = process.env.CI === 'true'
const OTHER_NODES = ['20', '22', '24'].filter((version) => !process.version.startsWith(`v${version}.`))
const REPORTS = '.test-report'

type Step = { name: string; command: readonly string[]; report?: string }

const failed: string[] = []
const reports: string[] = []

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** The tests of a project, all or those of some files. */
function vitest(
  name: string,
  project: 'unit' | 'lab' | 'alone',
  files: readonly string[],
  node: readonly string[] = [],
): Step {
  const report = `${REPORTS}/${name.replaceAll(/\W+/g, '-')}.json`
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const runner = node.length > 0 ? [...node, 'node', 'node_modules/vitest/vitest.mjs'] : ['vitest']
  const selection = files.length > 0 ? ['--passWithNoTests', ...files] : []
  return { name, command: [...runner, 'run', '--project', project, ...reporters, ...selection], report }
}

/** In CI there must be everything. */
function leaveOut(what: string, why: string): void {
  say(`left out: ${what} (${why})`)
  if (CI) failed.push(`${what}, which CI must not leave out`)
}

/** Runs steps one after the other; each line that they print says whose it is. */
async function lane(steps: readonly Step[]): Promise<void> {
  for (const { name, command, report } of steps) {
    const [file = '', ...args] = command
    say(`── ${name}`)
    const mark = function* (line: unknown): Generator<string> {
      yield `${name} │ ${String(line)}`
    }
    const { exitCode } = await execa(file, args, {
      stdin: 'ignore',
      stdout: [mark, 'inherit'],
      stderr: [mark, 'inherit'],
      buffer: false,
      reject: false,
    })
    if (exitCode !== 0) failed.push(name)
    if (report !== undefined) reports.push(report)
  }
}

/** Why the lab can't be had on this machine; undefined when it is ready. */
async function labMissing(): Promise<string | undefined> {
  try {
    needRootAndLinux()
    await provisionAll(say)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

const { failed: withoutShellcheck } = await execa('shellcheck', ['--version'], { reject: false })

const CHECKS: readonly Step[] = [
  { name: 'format', command: ['oxfmt', '--check', '.'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'types', command: ['tsc'] },
  ...(withoutShellcheck ? [] : [{ name: 'shell', command: ['node', 'cli/start.mjs', 'test/shell/main.ts'] }]),
]

const { values, positionals: words } = parseArgs({
  options: { changed: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const files = values.changed ? await testsOfChange() : words
await rm(REPORTS, { recursive: true, force: true })
await mkdir(REPORTS)
// What the tests start is compiled once, not at each start.
await lane([{ name: 'compile', command: ['node', 'cli/compile.mjs'] }])
if (values.changed && files.length === 0) {
  say('no test is touched by the change')
  await lane(CHECKS)
} else {
  const all = files.length === 0
  const units = [
    vitest(`unit tests on Node ${process.version}`, 'unit', files),
    ...(CI ? OTHER_NODES : []).map((version) =>
      vitest(`unit tests on Node ${version}`, 'unit', files, [
        'npx',
        '--yes',
        '--package',
        `node@${version}`,
        '--',
      ]),
    ),
  ]
  const checks = all || values.changed ? CHECKS : []
  // The lab's parts are made meanwhile: that waits for disks and registries, and the checks for CPUs.
  const [missing] = await Promise.all([labMissing(), lane([...checks, ...units])])
  if (missing === undefined)
    await lane([vitest('lab tests', 'lab', files), vitest('tests that run alone', 'alone', files)])
  else leaveOut('the lab tests', missing)
}
if (withoutShellcheck && (values.changed || words.length === 0))
  leaveOut('what is written for a shell', 'there is no shellcheck')

const read = (await Promise.all(reports.map(async (path) => await readReport(path)))).flatMap(
  (report) => report ?? [],
)
if (read.length < reports.length) failed.push('a run that ended without its report')
say('── the ten slowest tests')
for (const line of slowest(read, 10)) say(line)
for (const failure of read.flatMap(failures)) say(`── failed: ${failure}`)
const total = totals(read)
if (reports.length > 0 && total.passed === 0) failed.push('no test passed')
if (failed.length > 0) say(`failed: ${failed.join(', ')}`)
say(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exitCode = failed.length > 0 ? 1 : 0
