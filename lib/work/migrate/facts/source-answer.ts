import { plain } from '../../../base/text.ts'
import type { Attribute, FileFacts, SocketFacts, SourceFacts, SystemVObject, TaskFacts } from './facts.ts'
import { hashesIn, machineFacts } from './machine-facts.ts'
import { BadFacts, matched, numberIn, Sections } from './records.ts'
import { linksIn, statsIn } from './referred.ts'
import { tasksIn } from './tasks.ts'

/**
 * What source.sh found out.
 *
 * @throws BadFacts when it is not all there, or a part of it is not what the kernel writes
 */
export function parseSource(output: string, host: string, pid: number): SourceFacts {
  const sections = new Sections(output)
  const { tasks, changing } = tasksIn(sections)
  const [process, ...others] = tasks
  if (process?.pid !== pid) throw new BadFacts(`PID ${pid} has ended`)
  return {
    ...machineFacts(sections),
    host,
    uid: sections.number('uid'),
    pid,
    tree: [process, ...others],
    changing,
    ancestors: sections
      .groups('ancestors', 6)
      .map(([id, command = '', terminal, input = '', line = '', image = '']) => ({
        pid: numberIn('a parent', id),
        command,
        terminal: numberIn('a terminal', terminal),
        input: input.slice(1),
        line: line.slice(1),
        image,
      })),
    line: sections.numbers('line'),
    users: Object.fromEntries(sections.groups('users', 2)),
    sockets: [...new Set(tasks.flatMap(inodesOf))].map(socketsIn(sections)),
    systemV: sections.lines('ipc').map((line) => systemVIn(line)),
    outside: sections.groups('holders', 3).map(([inode = '', holder, name = '']) => {
      return { inode, pid: numberIn('a PID', holder), command: name }
    }),
    sharers: (sections.has('sharers') ? sections.groups('sharers', 2) : []).map(([sharer, name = '']) => {
      return { pid: numberIn('a PID', sharer), command: name }
    }),
    files: filesIn(sections),
    attributes: attributesIn(sections),
    ownCgroups: sections.lines('groups'),
    databases: sections.has('databases') ? sections.items('databases') : [],
    modes: modesIn(sections),
    namedAsDeleted: sections.has('named') ? sections.items('named') : [],
    watchedPaths: (sections.has('watches') ? sections.groups('watches', 2) : []).flatMap(
      ([kind, path = '']) =>
        kind === 'f' || kind === 'd' ? [{ path, kind: kind === 'd' ? 'directory' : 'file' }] : [],
    ),
    stuck: sections.lines('stuck').map((line) => numberIn('a PID', line)),
    limited: sections.items('limiters').flatMap((line) => {
      const limited = /[= ](?:--pid[= ]|-p ?)(\d{1,10})(?: |$)/.exec(line)?.[1]
      return limited === undefined ? [] : [Number(limited)]
    }),
    terminals: terminalsIn(sections),
    onlookers: (sections.has('onlookers') ? sections.groups('onlookers', 3) : []).map(
      ([index, onlooker, name = '']) => ({
        index: numberIn('a terminal', index),
        pid: numberIn('a PID', onlooker),
        command: name,
      }),
    ),
    overlays: sections.lines('overlays').map((line) => matched('a device', line, /^\d+:\d+$/)[0]),
    cpuinfo: sections.has('cpuinfo') ? sections.one('cpuinfo', /^[A-Za-z0-9+/]+={0,2}$/) : '',
  }
}

/** Lines `PATH ROWS COLUMNS`; of one that is gone there is no size. */
function terminalsIn(sections: Sections): NonNullable<SourceFacts['terminals']> {
  return Object.fromEntries(
    sections.lines('terminals').flatMap((line) => {
      const match = /^(\/dev\/pts\/\d{1,10}) (\d{1,5}) (\d{1,5})$/.exec(line)
      const [, path = '', rows, columns] = match ?? []
      return match ? [[path, { rows: Number(rows), columns: Number(columns) }] as const] : []
    }),
  )
}

function systemVIn(line: string): SystemVObject {
  const [, kind, id] = matched('a System V object', line, /^(sem|msg|shm) (\d{1,10})$/)
  return { kind: kind === 'sem' || kind === 'msg' ? kind : 'shm', id: numberIn('an ID', id) }
}

/** Lines `ID NAME VALUE`. */
function attributesIn(sections: Sections): Attribute[] {
  return sections.lines('attributes').map((line) => {
    const [, id, name = '', value = ''] = matched('an attribute', line, /^(\d{1,10}) ([a-z_]{1,20}) (.*)$/)
    return { id: numberIn('an ID', id), name, value }
  })
}

/** The inodes of the sockets that a process has open. */
function inodesOf({ open }: TaskFacts): string[] {
  return open.flatMap(({ link }) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? [])
}

/** What is known of a socket: lines `TABLE INODE STATE [PATH or ADDRESS]` and `INODE PEER`. */
function socketsIn(sections: Sections): (inode: string) => SocketFacts {
  const known = new Map<string, Omit<SocketFacts, 'inode' | 'peer'>>()
  for (const line of sections.lines('sockets')) {
    const form = /^([a-z]+[46]?) (\d{1,20}) ([0-9A-F]{2}|-)(?: (.*))?$/
    const [, table = '', inode = '', state = '', name] = matched('a socket', line, form)
    const [, address, port] = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(name ?? '') ?? []
    const named = table === 'unix' ? name !== undefined && name !== '' : false
    known.set(inode, {
      table,
      state,
      ...(named && name !== undefined ? { path: name } : {}),
      ...(table !== 'unix' && address !== undefined && port !== undefined
        ? { address, port: Number.parseInt(port, 16) }
        : {}),
    })
  }
  const peers = new Map(
    sections.lines('peers').map((line) => {
      const [, inode = '', peer = ''] = matched('a peer', line, /^(\d{1,20}) (\d{1,20})$/)
      return [inode, peer]
    }),
  )
  return (inode) => {
    const peer = peers.get(inode)
    return { inode, ...known.get(inode), ...(peer === undefined ? {} : { peer }) }
  }
}

function filesIn(sections: Sections): Record<string, FileFacts> {
  if (!sections.has('files')) return {}
  const hashes = hashesIn(sections.items('hashes'))
  return Object.fromEntries(
    sections.groups('files', 2).map(([path = '', text = '']) => {
      const [, size, modified] = matched(`of ${plain(path, 40)}`, text, /^(\d{1,16}) (-?\d{1,12})$/)
      const sha256 = hashes.get(path)
      const file = { sizeBytes: Number(size), modified: Number(modified) }
      return [path, sha256 === undefined ? file : { ...file, sha256 }]
    }),
  )
}

function modesIn(sections: Sections): Record<string, number> {
  const stats = statsIn(sections)
  return Object.fromEntries(
    [...linksIn(sections, 'links'), ...linksIn(sections, 'places')].flatMap(([path, link]) => {
      const mode = stats.get(path)?.mode
      return mode === undefined || !link.startsWith('/') ? [] : [[link, mode] as const]
    }),
  )
}
