import { parseStat } from '../../../base/proc-stat.ts'
import type { TaskFacts } from './facts.ts'
import { linksIn, referredIn } from './referred.ts'
import { BadFacts, matched, numberIn, type Sections } from './records.ts'

/**
 * The processes of the tree that were there all the time, in the order in which they were found; and whether others
 * began or ended meanwhile, of which nobody knows more than a part.
 */
export function tasksIn(sections: Sections): { tasks: TaskFacts[]; changing: boolean } {
  const found = sections.numbers('tree')
  const states = new Map(
    sections.lines('still').map((line) => {
      const [, pid, state = ''] = matched('a process that is there', line, /^(\d+) ([A-Za-z])$/)
      return [numberIn('a PID', pid), state]
    }),
  )
  const tasks = tasksFound(sections).filter(({ pid, state }) => {
    const now = states.get(pid)
    return now !== undefined && (now !== 'Z' || state === 'Z')
  })
  for (const task of tasks) assertMapped(task)
  const pids = new Set(found)
  const isNew = [...states.keys()].some((pid) => !pids.has(pid))
  return { tasks, changing: isNew || tasks.length < pids.size }
}

/**
 * A program always has something mapped: where nothing is shown, the kernel has kept it from us, and criu would fail.
 * Threads of the kernel have no memory, and neither has what has ended. @throws BadFacts
 */
function assertMapped({ pid, kernel, memoryBytes, mapped }: TaskFacts): void {
  if (!kernel && memoryBytes > 0 && mapped.length === 0)
    throw new BadFacts(`the kernel does not show what PID ${pid} has mapped`)
}

function tasksFound(sections: Sections): TaskFacts[] {
  const state = new Map(
    sections.items('state').map((item) => {
      const [, path = '', text = ''] = matched('a state', item, /^(\/proc\/\d+\/\w+):([^]*)$/)
      return [path, text]
    }),
  )
  const threads = grouped(sections.lines('threads'))
  const foreign = foreignNamespaces(sections.lines('namespaces'))
  const places = new Map(linksIn(sections, 'places'))
  const { open, mapped } = referredIn(sections)
  return sections.numbers('tree').flatMap((pid) => {
    const process = processOf(pid, state)
    // It has ended since the tree was looked at.
    if (!process) return []
    const cgroups = (state.get(`/proc/${pid}/cgroup`) ?? '').split('\n').filter((line) => line !== '')
    const task: TaskFacts = {
      ...process,
      ...placesOf(pid, places),
      cgroups: cgroups.map((line) => matched('a cgroup', line, /^\d+:[^:]*:(.*)$/)[1] ?? ''),
      threads: (threads.get(pid) ?? []).map((path) => numberIn('a thread', path.split('/')[4])),
      namespaces: foreign(pid),
      open: open.get(pid) ?? [],
      mapped: mapped.get(pid) ?? [],
    }
    return [task]
  })
}

type Process = Omit<
  TaskFacts,
  'cgroups' | 'threads' | 'namespaces' | 'exe' | 'cwd' | 'root' | 'open' | 'mapped'
>

/** What stat and status tell; undefined when they are gone. */
function processOf(pid: number, state: ReadonlyMap<string, string>): Process | undefined {
  const text = state.get(`/proc/${pid}/stat`) ?? ''
  const status = state.get(`/proc/${pid}/status`) ?? ''
  const stat = parseStat(pid, text)
  if (!stat || status === '' || /[Xx]/.test(stat.state)) return undefined
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (number: number) => numberIn('a field of stat', fields[number - 3])
  const kib = (key: string) =>
    Number(new RegExp(String.raw`^${key}:\s+(\d{1,12}) kB$`, 'm').exec(status)?.[1] ?? 0) * 1024
  const { parent, command, kernel, startTicks } = stat
  return {
    pid,
    parent,
    group: field(5),
    session: field(6),
    terminal: field(7),
    startTicks,
    state: stat.state,
    kernel,
    uid: numberIn('a uid', /^Uid:\t(\d+)\t/m.exec(status)?.[1]),
    command,
    tracer: numberIn('a tracer', /^TracerPid:\t(\d+)$/m.exec(status)?.[1]),
    memoryBytes: kib('VmRSS') + kib('VmSwap'),
    imageBytes: kib('RssAnon') + kib('RssShmem') + kib('VmSwap'),
  }
}

function placesOf(pid: number, places: ReadonlyMap<string, string>) {
  const [exe, cwd, root] = ['exe', 'cwd', 'root'].map((name) => places.get(`/proc/${pid}/${name}`))
  return {
    ...(exe === undefined ? {} : { exe }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(root === undefined ? {} : { root }),
  }
}

/** Lines `/proc/PID/ns KIND LINK`, with `self` for the one that reads: in which kinds a process is elsewhere. */
function foreignNamespaces(lines: readonly string[]): (pid: number) => string[] {
  const links = new Map<string, string>()
  for (const line of lines) {
    const [, pid = '', kind = '', link = ''] = matched(
      'a namespace',
      line,
      /^\/proc\/(\d+|self)\/ns (\w+) (\w+:\[\d+\]|)$/,
    )
    links.set(`${pid} ${kind}`, link)
  }
  const kinds = [...links.keys()].flatMap((key) => (key.startsWith('self ') ? [key.slice(5)] : []))
  if (!kinds.includes('pid')) throw new BadFacts('nothing of namespaces')
  return (pid) =>
    kinds.filter((kind) => {
      // criu gives what it restores a time namespace, and takes it along the next time.
      if (kind.startsWith('time')) return false
      const link = links.get(`${pid} ${kind}`)
      return link !== undefined && link !== links.get(`self ${kind}`)
    })
}

/** Lines that begin with `/proc/PID/`, by PID. */
export function grouped(lines: readonly string[]): Map<number, string[]> {
  const groups = new Map<number, string[]>()
  for (const line of lines) {
    const pid = numberIn('a PID', /^\/proc\/(\d+)\//.exec(line)?.[1])
    const group = groups.get(pid)
    if (group) group.push(line)
    else groups.set(pid, [line])
  }
  return groups
}
