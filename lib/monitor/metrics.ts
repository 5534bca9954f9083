import { SCUM_CPU_PERCENT, SCUM_MEM_PERCENT } from '../model/policy.ts'
import { judge } from '../model/scum.ts'
import { plain } from '../base/text.ts'
import type { Trit } from '../model/trit.ts'

/** What the metrics are made of. */
export type Observed = {
  trit: Trit
  ratio: number
  processes: readonly {
    pid: number
    command: string
    cpuPercent: number
    memPercent: number
    runtimeHours: number
  }[]
  /** How many processes are above `SCUM_CPU_PERCENT`. */
  scumProcesses: number
}

const MOST_PROCESSES = 10

/**
 * The metrics of one run for node_exporter's textfile collector, in Prometheus' text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Without times: the collector refuses files that
 * have any, and tells the age of the file by itself.
 *
 * Only processes of the SCUM class have a score here: an idle daemon of four days scores 0.4, and ten of those would
 * leave no place for what keeps the machine busy.
 */
export function metrics({ trit, ratio, processes, scumProcesses }: Observed): string {
  return [
    family('node_trit', 'Trit of this machine: 1 overloaded, 0 balanced, -1 has room.', [['', trit]]),
    family('load_ratio', '1-minute load average over the CPUs that the machine may use.', [['', ratio]]),
    family('scum_processes', `Processes that use more than ${SCUM_CPU_PERCENT} % of a CPU.`, [
      ['', scumProcesses],
    ]),
    scoreFamily([{ labels: '', trit, processes }]),
  ].join('')
}

/** The highest scores of the processes of each machine, whose own labels end with a comma where there are any. */
export function scoreFamily(
  machines: readonly { labels: string; trit: Trit; processes: Observed['processes'] }[],
): string {
  return family(
    'process_score',
    `SCUM score of the processes above ${SCUM_CPU_PERCENT} % of a CPU or ${SCUM_MEM_PERCENT} % of memory, the ${MOST_PROCESSES} highest.`,
    machines.flatMap(({ labels, trit, processes }) =>
      processes
        .map((process) => ({ process, ...judge(process, trit) }))
        .filter(({ inScumClass }) => inScumClass)
        .toSorted((a, b) => b.score - a.score || a.process.pid - b.process.pid)
        .slice(0, MOST_PROCESSES)
        .map(
          ({ process: { pid, command }, score }) =>
            [`{${labels}pid="${pid}",command="${label(command)}"}`, score] as const,
        ),
    ),
  )
}

/** A gauge with its samples; without any it is left out whole. */
export function family(
  name: string,
  help: string,
  samples: readonly (readonly [labels: string, value: number])[],
): string {
  if (samples.length === 0) return ''
  const metric = `resource_sharing_${name}`
  const lines = samples.map(([labels, value]) => `${metric}${labels} ${value}`)
  return `# HELP ${metric} ${help}\n# TYPE ${metric} gauge\n${lines.join('\n')}\n`
}

/**
 * A command as the value of a label. Its newlines stay, as the format writes them; other control characters, which
 * the format allows and a terminal obeys, do not.
 */
function label(command: string): string {
  return escapeLabel(
    command
      .split('\n')
      .map((line) => plain(line, 100))
      .join('\n'),
  )
}

const ESCAPES: Record<string, string> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' }

/** A label's value between its quotation marks: backslash, quotation mark and newline are escaped, nothing else. */
export function escapeLabel(value: string): string {
  return value.replaceAll(/[\\"\n]/g, (character) => ESCAPES[character] ?? '')
}
