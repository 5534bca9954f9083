import type { MigrationsResult, OneMigrationResult } from '../../verbs/move/schemas.ts'
import { plain } from '../base/text.ts'
import { table } from './table.ts'

/** A row a migration: those that are not over first. */
export async function migrationLines(
  { open, over }: MigrationsResult,
  width: number,
  dim: (text: string) => string,
): Promise<string[]> {
  const columns = [
    { head: 'ID' },
    { head: 'PID', align: 'right' },
    { head: 'COMMAND', shrinks: true },
    { head: 'FROM' },
    { head: 'TO' },
    { head: 'STATE' },
    { head: 'WHEN', optional: 1 },
  ] as const
  const all = [...open, ...over.map((each) => ({ ...each, state: each.outcome }))]
  const rows = all.map(({ id, pid, command, from, to, state, at }) => [
    id,
    String(pid),
    command,
    from,
    to,
    state,
    at.replace(/\..*/, 'Z'),
  ])
  return rows.length === 0 ? [] : await table(columns, rows, width, dim)
}

/** Everything that is known of one. */
export function oneMigrationLines(one: OneMigrationResult): string[] {
  if ('entries' in one)
    return one.entries.map((entry) => plain(Object.values(entry).map(String).join(' '), 500))
  return [plain(`${one.at} ${one.outcome}: ${one.detail}`, 500)]
}
