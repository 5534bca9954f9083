import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { z } from 'zod'

const Assertion = z.object({
  fullName: z.string(),
  status: z.string(),
  duration: z.number().nullish(),
  failureMessages: z.array(z.string()).nullish(),
})

/** What vitest's reporter `json` writes, as far as it is used here. */
const Report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  testResults: z.array(
    z.object({ name: z.string(), message: z.string().optional(), assertionResults: z.array(Assertion) }),
  ),
})
export type Report = z.infer<typeof Report>

/** Undefined where the runner ended before it wrote one. @throws where it is no report of vitest */
export async function readReport(path: string): Promise<Report | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  return text === undefined ? undefined : Report.parse(JSON.parse(text))
}

/** What failed in a run and why, so that it is at the end of the output and need not be looked for. */
export function failures(report: Report): string[] {
  return report.testResults.flatMap(({ name, message, assertionResults }) => {
    const failed = assertionResults.filter(({ status }) => status === 'failed')
    const tests = failed.map(
      ({ fullName, failureMessages }) => `${fullName}\n${(failureMessages ?? []).join('\n')}`,
    )
    return [...tests, ...(failed.length === 0 && message ? [message] : [])].map((text) => `${name}: ${text}`)
  })
}

/** The tests that took longest in all of these runs, a line each. */
export function slowest(reports: readonly Report[], count: number): string[] {
  return reports
    .flatMap(({ testResults }) => testResults)
    .flatMap(({ name, assertionResults }) =>
      assertionResults.map(({ fullName, duration }) => ({ name, fullName, durationMs: duration ?? 0 })),
    )
    .toSorted((a, b) => b.durationMs - a.durationMs)
    .slice(0, count)
    .map(
      ({ name, fullName, durationMs }) =>
        `${(durationMs / 1000).toFixed(1).padStart(7)} s  ${relative(process.cwd(), name)}: ${fullName}`,
    )
}

/** How many tests passed, failed and were skipped in all of these runs. */
export function totals(reports: readonly Report[]): { passed: number; failed: number; skipped: number } {
  const sum = (of: (report: Report) => number) => reports.reduce((all, report) => all + of(report), 0)
  return {
    passed: sum(({ numPassedTests }) => numPassedTests),
    failed: sum(({ numFailedTests }) => numFailedTests),
    skipped: sum(({ numPendingTests }) => numPendingTests),
  }
}
