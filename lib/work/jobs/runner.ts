import type { Limits } from '../../base/command.ts'
import type { Host, Reach } from '../../mesh/remote/host.ts'
import { tell, type Said } from '../../mesh/remote/run.ts'
import { MARKS } from '../../machine/reservations/script.ts'
import { shellText } from '../../base/shell-text.ts'
import { IS_GNU_TAR } from '../../base/tar.ts'
import { lastLine, plain } from '../../base/text.ts'

const FUNCTIONS = shellText(import.meta.dirname, 'runner.sh')

/** A script that defines the functions of runner.sh and calls one of them. */
export function nodeScript(call: string): string {
  return `${MARKS}${FUNCTIONS}\nrun_gnu_tar() { ${IS_GNU_TAR}; }\n${call}`
}

/** One attempt to run a job, as the machine where it runs names it. */
export function runName(id: string, attempt: number): string {
  return `${id}-${attempt}`
}

/** Who reserves a machine for a run of a job. */
export function ownerOf(run: string): string {
  return `job-${run}`
}

/** What a machine says of a run; see run_report in runner.sh. */
export type Report =
  | { state: 'none' | 'never' | 'gone' | 'rebooted' }
  | { state: 'running'; pid: number }
  | { state: 'ended'; exitCode: number }

/** @returns undefined when it says something else */
export function parseReport(output: string): Report | undefined {
  const state = /^state ([a-z]+)$/m.exec(output)?.[1]
  if (state === 'none' || state === 'never' || state === 'gone' || state === 'rebooted') return { state }
  if (state === 'running') {
    const pid = /^process (\d{1,10}) \d+$/m.exec(output)?.[1]
    return pid === undefined ? undefined : { state, pid: Number(pid) }
  }
  if (state !== 'ended') return undefined
  const exitCode = Number(/^status (\d{1,3})$/m.exec(output)?.[1] ?? Number.NaN)
  return exitCode <= 255 ? { state, exitCode } : undefined
}

type Values = Readonly<Record<string, string>>

/** Runs one of the functions on a machine, as this user. */
export async function callOn(
  host: Host,
  call: string,
  values: Values,
  reach: Reach,
  limits: Limits,
): Promise<Said> {
  return await tell(host, { body: nodeScript(call), values, as: 'self' }, reach, limits)
}

/** Why a function did not do what it is told: the line that it printed, or that some program complained with. */
export function whyNot(said: Said): string {
  if (!said.known) return said.reason
  return plain(
    lastLine(said.output, 160) ?? lastLine(said.stderr, 160) ?? `it ended with status ${said.status}`,
  )
}

/** What a machine says of a run, after one of the functions that end with a report. */
export async function reportOn(
  host: Host,
  call: 'run_report' | 'run_settle' | 'run_cancel',
  run: string,
  reach: Reach,
  limits: Limits,
): Promise<{ known: true; report: Report } | { known: false; reason: string }> {
  const said = await callOn(host, call, { ID: run }, reach, limits)
  const report = said.known && said.status === 0 ? parseReport(said.output) : undefined
  return report ? { known: true, report } : { known: false, reason: whyNot(said) }
}
