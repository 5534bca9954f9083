import { plain } from '../../../base/text.ts'
import type { SourceFacts, TaskFacts } from '../facts/facts.ts'

/** A process as a sentence names it. */
export function who({ pid, command }: { pid: number; command: string }): string {
  return `PID ${pid} (${plain(command, 40)})`
}

/** A path as a sentence names it. */
export function shown(link: string): string {
  return plain(link, 160)
}

/** Some things in a row, made safe to show: the first three, and how many more. */
export function some(things: readonly string[]): string {
  const distinct = [...new Set(things)]
  const rest = distinct.length - 3
  return `${distinct
    .slice(0, 3)
    .map((thing) => plain(thing, 160))
    .join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

/** What each process of the tree has of something, with the process. */
export function eachOf<Thing>(
  { tree }: SourceFacts,
  things: (task: TaskFacts) => readonly Thing[],
): { task: TaskFacts; thing: Thing }[] {
  return tree.flatMap((task) => things(task).map((thing) => ({ task, thing })))
}

export function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`
}
