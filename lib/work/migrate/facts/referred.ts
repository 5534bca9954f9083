import type { FileKind, MappedFile, OpenFile } from './facts.ts'
import { kindOf } from './machine-facts.ts'
import { matched, numberIn, type Sections } from './records.ts'

/** What the processes have open and mapped, by PID. */
export type Referred = { open: Map<number, OpenFile[]>; mapped: Map<number, MappedFile[]> }

export function referredIn(sections: Sections): Referred {
  const stats = statsIn(sections)
  const notes = fdinfoIn(sections.lines('fdinfo'))
  const shared = new Set(
    sections.lines('shared').map((line) => {
      const [, pid = '', from = '', to = ''] = matched(
        'a mapping',
        line,
        /^\/proc\/(\d+)\/maps:0*([0-9a-f]+)-0*([0-9a-f]+) /,
      )
      return `${pid} ${from}-${to}`
    }),
  )
  const queues = new Set(
    sections.lines('queues').map((line) => matched('a queue', line, /^[0-9a-f]+ (\/proc\/\d+\/fd\/\d+)$/)[1]),
  )
  const referred: Referred = { open: new Map(), mapped: new Map() }
  for (const [path = '', link = ''] of linksIn(sections, 'links')) {
    const [, pidText = '', folder, name = ''] = matched(
      'a link',
      path,
      /^\/proc\/(\d+)\/(fd|map_files)\/([0-9a-f-]+)$/,
    )
    const pid = Number(pidText)
    const found = stats.get(path)
    // Closed since the folder was read.
    if (!found) continue
    const { mode: _mode, ...stat } = found
    const isQueue = queues.has(path)
    const common = {
      link: isQueue ? 'mqueue' : link,
      deleted: isQueue || link.endsWith(' (deleted)') || !link.startsWith('/'),
      ...stat,
    }
    if (folder === 'map_files') {
      push(referred.mapped, pid, { ...common, range: name, writable: shared.has(`${pidText} ${name}`) })
      continue
    }
    const info = notes.get(`${pidText}/${name}`)
    if (!info) continue
    push(referred.open, pid, { ...common, fd: numberIn('a descriptor', name), ...info })
  }
  return referred
}

function push<Item>(map: Map<number, Item[]>, pid: number, item: Item): void {
  const items = map.get(pid)
  if (items) items.push(item)
  else map.set(pid, [item])
}

/** The names in /proc and what they lead to, but for those that lead nowhere any more. */
export function linksIn(sections: Sections, section: 'links' | 'places'): [name: string, link: string][] {
  return sections.groups(section, 2).flatMap(([name = '', item = '']) => {
    const link = matched('a link', item, /^=([^]*)$/)[1] ?? ''
    return link === '' ? [] : [[name, link] as [string, string]]
  })
}

/** What the names in /proc refer to, by name. */
export function statsIn(sections: Sections): Map<string, Stat> {
  return new Map(sections.groups('stats', 2).map(([path = '', stat = '']) => [path, statOf(stat)]))
}

type Stat = {
  /** Permission bits. */
  mode: number
  kind: FileKind
  identity: string
  links: number
  sizeBytes: number
  device: { major: number; minor: number }
}

/** `stat --printf='%f %d:%i %h %s %t %T'`: the first and the last two in hexadecimal. */
function statOf(text: string): Stat {
  const form = /^([0-9a-f]{1,8}) (\d{1,20}:\d{1,20}) (\d{1,10}) (\d{1,16}) ([0-9a-f]{1,8}) ([0-9a-f]{1,8})$/
  const [, hex = '', identity = '', links, size, major = '', minor = ''] = matched('a file', text, form)
  const mode = Number.parseInt(hex, 16)
  return {
    mode: mode & 0o7777,
    kind: kindOf(mode),
    identity,
    links: numberIn('links', links),
    sizeBytes: numberIn('a size', size),
    device: { major: Number.parseInt(major, 16), minor: Number.parseInt(minor, 16) },
  }
}

type Fdinfo = Pick<OpenFile, 'writable' | 'append' | 'locks' | 'watches' | 'pidfd' | 'terminal'>

/** Bits of open(2)'s flags: what may be done, O_APPEND, O_PATH; the same on all architectures that criu knows. */
const ACCESS = 0o3
const APPEND = 0o2000
const PATH_ONLY = 0o10_000_000

/** Lines `/proc/PID/fdinfo/FD:key:…` of proc_pid_fdinfo(5), by `PID/FD`. */
function fdinfoIn(lines: readonly string[]): Map<string, Fdinfo> {
  const all = new Map<string, Fdinfo>()
  for (const line of lines) {
    const [, pid = '', fd = '', text = ''] = matched(
      'a descriptor',
      line,
      /^\/proc\/(\d+)\/fdinfo\/(\d+):(.*)$/,
    )
    const key = `${pid}/${fd}`
    const info: Fdinfo = all.get(key) ?? { writable: false, append: false, locks: [], watches: [] }
    all.set(key, info)
    const flags = /^flags:\t([0-7]{1,12})$/.exec(text)?.[1]
    if (flags !== undefined) {
      const bits = Number.parseInt(flags, 8)
      info.writable = (bits & ACCESS) !== 0 && (bits & PATH_ONLY) === 0
      info.append = (bits & APPEND) !== 0
    } else if (text.startsWith('lock:')) info.locks.push(text.slice(5).trim())
    else if (text.startsWith('Pid:')) info.pidfd = Number(/^Pid:\t(-?\d{1,10})$/.exec(text)?.[1] ?? -1)
    else if (text.startsWith('tty-index:'))
      info.terminal = numberIn('a terminal', /^tty-index:\t(\d{1,10})$/.exec(text)?.[1])
    else info.watches.push(watchedDevice(text))
  }
  return all
}

/** `inotify wd:1 ino:2 sdev:3f …`: the kernel's own number of the device, twenty bits of it the minor one. */
function watchedDevice(text: string): string {
  const device = Number.parseInt(matched('a watch', text, /^inotify .*\bsdev:([0-9a-f]{1,8})\b/)[1] ?? '', 16)
  return `${device >>> 20}:${device & 0xf_ffff}`
}
