import { plain } from '../../../base/text.ts'
import type { Attribute, SourceFacts, TargetFacts } from '../facts/facts.ts'
import { who } from './words.ts'

/** ADDR_NO_RANDOMIZE of personality(2), in hexadecimal: the only one that a copy can be given. */
const NO_RANDOMIZE = '00040000'
/** Of sched(7), those that are lost where there is no real-time. */
const REALTIME: Readonly<Record<string, string>> = { 1: 'SCHED_FIFO', 2: 'SCHED_RR' }
const DEADLINE = '6'

/**
 * What the process will not have any more when it has moved: whole lines, safe to show, none where nothing is lost. All
 * else that attributes.sh finds is given to the copy, and verified before the original is ended.
 *
 * @param target without it, only what is lost on any
 */
export function losses(source: SourceFacts, target?: TargetFacts): string[] {
  const lines = (source.attributes ?? []).flatMap((attribute) => {
    const what = lossOf(attribute, source, target)
    const task = source.tree.find(
      ({ pid, threads }) => pid === attribute.id || threads.includes(attribute.id),
    )
    return what === undefined || !task ? [] : [`${who(task)} loses ${plain(what, 200)}`]
  })
  return [...new Set([...lines, ...unread(source), ...cgroups(source)])]
}

function lossOf(
  { name, value }: Attribute,
  source: SourceFacts,
  target: TargetFacts | undefined,
): string | undefined {
  const lacks = (tool: string) => target?.tools?.includes(tool) === false
  const without = (tool: string) => `: there is no ${tool} on ${target?.host}`
  switch (name) {
    case 'personality':
      if (/^0*$/.test(value)) return undefined
      if (value !== NO_RANDOMIZE || !isEverybodys(source, name, value)) return `its personality (${value})`
      return lacks('setarch') ? `its personality (${value})${without('setarch')}` : undefined
    case 'memory_errors':
      return 'what it has asked for at memory errors (PR_MCE_KILL)'
    case 'affinity': {
      if (value.endsWith(' usual')) return undefined
      if (lacks('taskset')) return `its CPU affinity (${value})${without('taskset')}`
      const there = cpusIn(target?.cpus ?? value)
      const missing = [...cpusIn(value)].filter((cpu) => !there.has(cpu))
      const why = `: ${target?.host} has the CPUs ${target?.cpus}`
      return missing.length > 0 ? `its CPU affinity (${value})${why}` : undefined
    }
    case 'io':
      return lacks('ionice') && !value.startsWith('none')
        ? `its I/O priority (${value})${without('ionice')}`
        : undefined
    case 'sched': {
      const [policy = '', priority = ''] = value.split(' ')
      if (policy === DEADLINE) return 'its scheduling by deadlines (SCHED_DEADLINE)'
      const realtime = REALTIME[policy]
      if (realtime === undefined || !lacks('realtime')) return undefined
      return `its real-time priority (${realtime} ${priority}): ${target?.host} gives none`
    }
    default:
      return undefined
  }
}

/** Whether all processes of the tree have it. */
function isEverybodys({ attributes = [] }: SourceFacts, name: string, value: string): boolean {
  return attributes.every((each) => each.name !== name || each.value === value)
}

function unread({ attributes = [], host, tree }: SourceFacts): string[] {
  if (attributes.length === 0 || attributes.some(({ name }) => name === 'io')) return []
  return [`${who(tree[0])} loses its I/O priority, if it has one: there is no ionice on ${host}`]
}

/** Control groups stay behind: a copy begins in those of the session that restores it. */
function cgroups({ tree, ownCgroups = [] }: SourceFacts): string[] {
  const paths = tree.flatMap((task) => task.cgroups.map((path) => ({ task, path })))
  const own = paths.filter(
    ({ path }) => path !== '/' && !path.startsWith('/user.slice') && !ownCgroups.includes(path),
  )
  const [first] = own
  return first ? [`${who(first.task)} loses the limits of its control group (${plain(first.path, 120)})`] : []
}

/** The numbers of a list of the kernel's: `0-3,8`. */
function cpusIn(list: string): Set<number> {
  return new Set(
    list.split(',').flatMap((range) => {
      const [from = 0, to = from] = /^\d{1,5}(?:-\d{1,5})?$/.test(range)
        ? range.split('-').map(Number)
        : [0, -1]
      return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)
    }),
  )
}
