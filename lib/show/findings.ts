import type { ChalkInstance } from 'chalk'
import type { Finding } from '../work/doctor/findings.ts'
import { plain } from '../base/text.ts'
import { table } from './table.ts'

const COLOURS = { fine: 'green', missing: 'red', optional: 'yellow' } as const

/** A finding, and the machine that it is about. */
export type Found = Finding & { host: string }

/** The lines of `doctor`: a row for what was looked at, and what to do below the table. */
export async function findingLines(
  findings: readonly Found[],
  colours: ChalkInstance,
  width: number,
): Promise<string[]> {
  const columns = [
    { head: 'HOST' },
    { head: 'CHECK' },
    { head: 'STATE' },
    { head: 'SAYS', shrinks: true },
  ] as const
  const rows = findings.map(({ host, check, state, says }) => [
    host,
    check,
    { text: state, style: colours[COLOURS[state]] },
    says,
  ])
  const todo = findings.flatMap(({ host, check, todo: what }) =>
    what === undefined ? [] : [`${host}, ${check}: ${plain(what)}`],
  )
  const lines = await table(columns, rows, width, colours.dim)
  return todo.length === 0 ? lines : [...lines, '', ...todo]
}
