import type { TerminalsResult } from '../../verbs/move/schemas.ts'
import { table } from './table.ts'

/** A row a terminal of a process that has moved. */
export async function terminalLines(
  { terminals }: TerminalsResult,
  width: number,
  dim: (text: string) => string,
): Promise<string[]> {
  const columns = [
    { head: 'ID' },
    { head: 'NODE' },
    { head: 'PID', align: 'right' },
    { head: 'COMMAND', shrinks: true },
  ] as const
  const rows = terminals.map(({ id, node, pid, command }) => [id, node, String(pid), command])
  return rows.length === 0 ? [] : await table(columns, rows, width, dim)
}
