import pMap from 'p-map'
import type { Limits } from '../../base/command.ts'
import { Failure } from '../../base/errors.ts'
import { plain } from '../../base/text.ts'
import { osNamed } from '../../machine/os-name.ts'
import type { Measurement } from '../../machine/measurement.ts'
import { SAMPLE_AGE_SECONDS } from '../../model/policy.ts'
import type { Extremes, KnownMesh, KnownNodes } from '../known-mesh.ts'
import type { MeshNode, Report } from '../node.ts'
import { nodeAt, ownNames, withoutColons } from '../nodes.ts'
import { extremes, info, RULES_ARE_THERE, SILENT, values } from './expressions.ts'
import { query, type Sample } from './query.ts'
import { NODE_LABEL, type PrometheusSettings } from './settings.ts'

/** Queries at the same time: each may keep a thread of the server's busy. */
const AT_ONCE = 6

/**
 * What a server knows of the machines that it scrapes, by node_exporter. One that does not answer it, or whose last sample
 * is old, has an outcome and no measurement.
 *
 * @param wanted which of them; without it all
 * @throws Failure in one line when the server can't be asked, or knows no machine; the signal's reason
 */
export async function prometheusMesh(
  settings: PrometheusSettings,
  wanted: Extremes | undefined,
  limits: Limits,
): Promise<KnownMesh> {
  const asker = new Asker(settings, limits)
  const rules = (await asker.ask(RULES_ARE_THERE)).length > 0
  const instances = wanted && (await chosen(wanted, rules, asker))
  const reports = reportsOf(
    await asker.askAll({
      silent: SILENT,
      ...(instances?.length === 0
        ? {}
        : { info: info(settings.nodeLabel, instances), ...values(rules, instances) }),
    }),
    settings,
  )
  return { reports: atLeastOne(reports, settings), ...asker.warning() }
}

/** The machines that it has, and no more: what they are called and where they are. @throws as `prometheusMesh` */
export async function prometheusNodes(settings: PrometheusSettings, limits: Limits): Promise<KnownNodes> {
  const asker = new Asker(settings, limits)
  const { load1 } = values(false)
  const answers = await asker.askAll({ silent: SILENT, info: info(settings.nodeLabel), load1 })
  const reports = atLeastOne(reportsOf(answers, settings), settings)
  return { nodes: reports.map(({ node }) => node), ...asker.warning() }
}

/** Asks a server several things within one time, and remembers of what it warned. */
class Asker {
  readonly #settings: PrometheusSettings
  readonly #limits: Limits
  readonly #deadlineMs: number
  readonly #warnings = new Set<string>()

  constructor(settings: PrometheusSettings, limits: Limits) {
    this.#settings = settings
    this.#limits = limits
    this.#deadlineMs = performance.now() + limits.timeoutMs
  }

  async ask(expression: string): Promise<Sample[]> {
    const timeoutMs = this.#deadlineMs - performance.now()
    const answer = await query(this.#settings, expression, { ...this.#limits, timeoutMs })
    answer.warnings.forEach((each) => this.#warnings.add(each))
    return answer.samples
  }

  /** The answers by the names of their expressions. */
  async askAll(expressions: Readonly<Record<string, string>>): Promise<Map<string, Sample[]>> {
    const answers = await pMap(
      Object.entries(expressions),
      async ([name, expression]) => [name, await this.ask(expression)] as const,
      { concurrency: AT_ONCE, signal: this.#limits.signal },
    )
    return new Map(answers)
  }

  warning(): { warning?: string } {
    const warning = [...this.#warnings].slice(0, 3).join('; ')
    return warning === '' ? {} : { warning: `Prometheus at ${this.#settings.url.host}: ${warning}` }
  }
}

/** @throws Failure where there is none */
function atLeastOne(reports: Report[], { url }: PrometheusSettings): Report[] {
  if (reports.length > 0) return reports
  throw new Failure(
    `Prometheus at ${url.host} knows no machine: it has no node_load1, which node_exporter gives it`,
  )
}

async function chosen(
  { emptiest = 0, fullest = 0 }: Extremes,
  rules: boolean,
  asker: Asker,
): Promise<string[]> {
  const wanted = [
    ...(emptiest > 0 ? [extremes(rules, 'emptiest', emptiest)] : []),
    ...(fullest > 0 ? [extremes(rules, 'fullest', fullest)] : []),
  ]
  const found = await Promise.all(wanted.map(async (expression) => await asker.ask(expression)))
  return [...new Set(found.flat().flatMap((sample) => label(sample, 'instance') ?? []))]
}

/** What a server said of one machine: a sample for each name of an expression that it has one for. */
type Known = ReadonlyMap<string, Sample>

/** A report for each machine that the server has, from the answers by the names of their expressions. */
export function reportsOf(
  answers: ReadonlyMap<string, readonly Sample[]>,
  { nodeLabel, url }: Pick<PrometheusSettings, 'nodeLabel' | 'url'>,
): Report[] {
  const machines = [...byInstance(answers)]
    // What is no node_exporter has no load, and is no machine.
    .filter(([, known]) => known.has('load1') || known.has('silent') || known.has('info'))
    .map(([instance, known]) => ({ instance, known, name: nameOf(instance, known, nodeLabel) }))
  const namesakes = new Map<string, number>()
  const own = ownNames()
  for (const { name } of machines) namesakes.set(name, (namesakes.get(name) ?? 0) + 1)
  return machines.map(({ instance, known, name }) => {
    const unnamed = name === '' || (namesakes.get(name) ?? 0) > 1
    const sysname = label(known.get('info'), 'sysname') ?? ''
    const node: MeshNode = {
      ...nodeAt(addressOf(instance, url), osNamed(sysname), own),
      name: unnamed ? withoutColons(plain(instance, 200)) : name,
    }
    const found = foundOf(known)
    if (!unnamed || found.outcome !== 'ok') return { node, ...found }
    const why =
      name === '' ? `has no label ${nodeLabel}` : `has a ${nodeLabel} that another one has too, ${name}`
    return { node, outcome: 'bad-output', reason: `it ${why}: --node-label takes another label for its name` }
  })
}

function byInstance(answers: ReadonlyMap<string, readonly Sample[]>): Map<string, Map<string, Sample>> {
  const found = new Map<string, Map<string, Sample>>()
  for (const [name, samples] of answers)
    for (const sample of samples) {
      const instance = label(sample, 'instance')
      if (instance === undefined) continue
      const known = found.get(instance) ?? new Map<string, Sample>()
      found.set(instance, known.set(name, sample))
    }
  return found
}

function label(sample: Sample | undefined, name: string): string | undefined {
  const value = sample?.labels[name]
  return typeof value === 'string' ? value : undefined
}

function nameOf(instance: string, known: Known, nodeLabel: string): string {
  const text = nodeLabel === NODE_LABEL ? hostOf(instance) : (label(known.get('info'), nodeLabel) ?? '')
  return withoutColons(plain(text, 63))
}

/** The host of an `instance`, which is `HOST:PORT` unless somebody has said otherwise. */
function hostOf(instance: string): string {
  return /^\[(.*)\](?::\d+)?$/.exec(instance)?.[1] ?? instance.replace(/^([^:]*):\d+$/, '$1')
}

/** Where it is for this machine: what a server calls localhost is the server's own. */
function addressOf(instance: string, { hostname }: URL): string {
  const host = hostOf(instance)
  return /^(?:localhost|127\..*|::1)$/i.test(host) ? hostname.replaceAll(/[[\]]/g, '') : host
}

type Found =
  | { outcome: 'ok'; measurement: Measurement; ageMs: number }
  | { outcome: 'unreachable' | 'timeout' | 'bad-output'; reason: string }

/** A measurement, or why there is none. */
function foundOf(known: Known): Found {
  const value = (name: string) => known.get(name)?.value ?? Number.NaN
  if (!known.has('load1'))
    return known.has('silent')
      ? { outcome: 'unreachable', reason: 'its node_exporter does not answer Prometheus (up is 0)' }
      : { outcome: 'bad-output', reason: 'Prometheus has no node_load1 of it' }
  const ageSeconds = value('ageSeconds')
  if (!(ageSeconds <= SAMPLE_AGE_SECONDS))
    return { outcome: 'timeout', reason: `its last sample in Prometheus is ${Math.round(ageSeconds)} s old` }
  const [load1, load5, load15, cpus] = [value('load1'), value('load5'), value('load15'), value('cpus')]
  for (const [name, load] of Object.entries({ node_load1: load1, node_load5: load5, node_load15: load15 }))
    if (!(load >= 0)) return { outcome: 'bad-output', reason: `Prometheus has no valid ${name} of it` }
  if (!(Number.isSafeInteger(cpus) && cpus >= 1))
    return {
      outcome: 'bad-output',
      reason: 'Prometheus has no node_cpu_seconds_total of it: its CPUs are not known',
    }
  const some60 = value('waiting60')
  const optional = { availableBytes: value('availableBytes'), uptimeSeconds: value('uptimeSeconds') }
  const measurement: Measurement = {
    os: osNamed(label(known.get('info'), 'sysname') ?? ''),
    load1,
    load5,
    load15,
    cpus,
    ...Object.fromEntries(Object.entries(optional).filter(([, number]) => number >= 0)),
    ...(some60 >= 0 ? { pressure: { some60 } } : {}),
  }
  // Clocks of two machines may differ by more than a sample is old.
  return { outcome: 'ok', measurement, ageMs: Math.max(0, ageSeconds) * 1000 }
}
