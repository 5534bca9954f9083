/**
 * Everything that has to pass: format, lint, types, unit tests, and the tests in the lab.
 *
 * The lab needs root and Linux; elsewhere the rest is run, and the last lines say what was left out. With CI=true
 * nothing may be left out, and the unit tests are run on every supported version of Node.
 */
import { mkdir, readFile, rm } from 'node:fs/promises'
import { execa } from 'execa'
import { z } from 'zod'
import { messageOf } from '../lib/text.ts'
import { needRootAndLinux, provision } from './lab/provision/provision.ts'

const CI = process.env.CI === 'true'
const OTHER_NODES = ['20', '22', '24'].filter((version) => !process.version.startsWith(`v${version}.`))
const REPORTS = '.test-report'
const Report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
})

type Step = { name: string; command: string[]; report?: string }

function vitest(name: string, project: 'unit' | 'lab', node: string[] = []): Step {
  const report = `${REPORTS}/${name.replaceAll(/\W+/g, '-')}.json`
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const runner = node.length > 0 ? [...node, 'node', 'node_modules/vitest/vitest.mjs'] : ['vitest']
  return { name, command: [...runner, 'run', '--project', project, ...reporters], report }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function passes({ name, command: [file = '', ...args] }: Step): Promise<boolean> {
  say(`── ${name}`)
  const { exitCode } = await execa(file, args, {
    stdin: 'ignore',
    stdout: 'inherit',
    stderr: 'inherit',
    reject: false,
  })
  return exitCode === 0
}

/** Why the lab can't be had on this machine; undefined when it is ready. */
async function labMissing(): Promise<string | undefined> {
  try {
    needRootAndLinux()
    await provision(true, say)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

async function reportOf(path: string): Promise<z.infer<typeof Report> | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  return text === undefined ? undefined : Report.parse(JSON.parse(text))
}

/** What failed in a run and why, so that it is at the end of the output and need not be looked for. */
function failures(report: z.infer<typeof Report>): string[] {
  return report.testResults.flatMap(({ name, message, assertionResults }) => {
    const failed = assertionResults.filter(({ status }) => status === 'failed')
    const tests = failed.map(
      ({ fullName, failureMessages }) => `${fullName}\n${(failureMessages ?? []).join('\n')}`,
    )
    return [...tests, ...(failed.length === 0 && message ? [message] : [])].map((text) => `${name}: ${text}`)
  })
}

await rm(REPORTS, { recursive: true, force: true })
await mkdir(REPORTS)
const missing = await labMissing()
const steps: Step[] = [
  { name: 'format', command: ['oxfmt', '--check', '.'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'types', command: ['tsc'] },
  vitest(`unit tests on Node ${process.version}`, 'unit'),
  ...(CI ? OTHER_NODES : []).map((version) =>
    vitest(`unit tests on Node ${version}`, 'unit', ['npx', '--yes', '--package', `node@${version}`, '--']),
  ),
  ...(missing === undefined ? [vitest('lab tests', 'lab')] : []),
]
const failed: string[] = []
for (const step of steps) if (!(await passes(step))) failed.push(step.name)
if (missing !== undefined) {
  say(`left out: the lab tests (${missing})`)
  if (CI) failed.push('lab tests, which CI must not leave out')
}
const total = { passed: 0, failed: 0, skipped: 0 }
for (const { name, report: path } of steps) {
  const report = path === undefined ? undefined : await reportOf(path)
  if (report === undefined) continue
  for (const failure of failures(report)) say(`── failed in ${name}: ${failure}`)
  total.passed += report.numPassedTests
  total.failed += report.numFailedTests
  total.skipped += report.numPendingTests
}
if (total.passed === 0) failed.push('no test passed')
if (failed.length > 0) say(`failed: ${failed.join(', ')}`)
say(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exitCode = failed.length > 0 ? 1 : 0
