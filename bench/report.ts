import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

/** What was measured of one program, in the same run as of the others. */
export type Row = {
  case: string
  program: string
  unit: 's' | 'ms' | 'MB' | '%'
  /** One a round. */
  values: readonly number[]
  /** The median beside that of a peer, where there is one. */
  ratio?: number
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}

/** @param peer what the ratio is to, in the same unit */
export function rowOf(
  name: string,
  program: string,
  unit: Row['unit'],
  values: readonly number[],
  peer?: number,
): Row {
  const row = { case: name, program, unit, values }
  return peer === undefined ? row : { ...row, ratio: median(values) / peer }
}

/**
 * Prints a table of Markdown, dated, with the machine; with `BENCH_JSON=1` the numbers as JSON instead.
 *
 * @param peer what the ratios compare with, where there are any
 */
export function report(title: string, rows: readonly Row[], peer?: string): void {
  const write = (line: string) => void process.stdout.write(`${line}\n`)
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const about = {
    title,
    date: new Date().toISOString().slice(0, 10),
    cpus: availableParallelism(),
    node: process.version,
    commit,
  }
  if (process.env.BENCH_JSON === '1') {
    write(JSON.stringify({ ...about, peer, rows }, null, 2))
    return
  }
  write(`${title}; ${about.cpus} CPUs, Node ${about.node.slice(1)}, ${about.date}, ${commit}\n`)
  const last = (text: string) => (peer === undefined ? [] : [text])
  const line = (cells: readonly string[]) => write(`| ${cells.join(' | ')} |`)
  line(['case', 'program', 'median', 'least', 'most', ...last(`of ${peer}`)])
  line(['---', '---', '---:', '---:', '---:', ...last('---:')])
  for (const { case: name, program, unit, values, ratio } of rows) {
    const digits = unit === 's' || unit === '%' ? 2 : 0
    const cells = [median(values), Math.min(...values), Math.max(...values)].map((value, index) =>
      index === 0 ? `${value.toFixed(digits)} ${unit}` : value.toFixed(digits),
    )
    line([name, program, ...cells, ...last(ratio?.toFixed(2) ?? '')])
  }
  write('')
}
