/**
 * What a server is asked, in PromQL over node_exporter's metrics. Each expression has one sample for each `instance`, with
 * few labels: what a server sends is most of what an answer costs.
 */

/** Names of docs/prometheus/rules.yml. */
const CPUS_RULE = 'instance:resource_sharing_cpus:count'
const RATIO_RULE = 'instance:resource_sharing_load1_per_cpu:ratio'

/** Seconds for which a job that has measured machines is taken for one that should. */
const REMEMBERED = '15m'

/** True, that is a sample, where the rules have a value for each machine: then what they count need not be counted anew. */
export const RULES_ARE_THERE = `count(${RATIO_RULE}) >= count(count by (instance) (node_load1))`

/** Targets of node_exporter that did not answer the server. A target of a job that measures nothing else is none of them. */
export const SILENT = `max by (instance) (up == 0 and on (job) group by (job) (last_over_time(node_load1[${REMEMBERED}])))`

/** By what each machine is called, and its system. */
export const info = (nodeLabel: string, instances?: readonly string[]): string =>
  `max by (instance, sysname, ${nodeLabel}) (node_uname_info${only(instances)})`

/** The values of a measurement by name, for all machines or for some of them. */
export function values(rules: boolean, instances?: readonly string[]) {
  const which = only(instances)
  const max = (expression: string) => `max by (instance) (${expression})`
  return {
    load1: max(`node_load1${which}`),
    load5: max(`node_load5${which}`),
    load15: max(`node_load15${which}`),
    ageSeconds: `time() - ${max(`timestamp(node_load1${which})`)}`,
    cpus: rules ? max(`${CPUS_RULE}${which}`) : cpusOf(which),
    availableBytes: max(`node_memory_MemAvailable_bytes${which}`),
    uptimeSeconds: max(`node_time_seconds${which} - node_boot_time_seconds${which}`),
    waiting60: max(`100 * rate(node_pressure_cpu_waiting_seconds_total${which}[1m])`),
  }
}

/** The machines with the least load over CPUs, or with the most. */
export function extremes(rules: boolean, which: 'emptiest' | 'fullest', most: number): string {
  const ratio = rules ? RATIO_RULE : `max by (instance) (node_load1) / ${cpusOf('')}`
  return `${which === 'emptiest' ? 'bottomk' : 'topk'}(${most}, ${ratio})`
}

function cpusOf(which: string): string {
  return `count by (instance) (node_cpu_seconds_total{mode="idle"${which === '' ? '' : `, ${which.slice(1, -1)}`}})`
}

/** A selector. Values come from the server, and are text in it whatever they are. */
function only(instances: readonly string[] | undefined): string {
  if (instances === undefined) return ''
  const alternatives = instances.map((each) => each.replaceAll(/[\\^$.|?*+()[\]{}]/g, String.raw`\$&`))
  return `{instance=~${JSON.stringify(alternatives.join('|'))}}`
}
