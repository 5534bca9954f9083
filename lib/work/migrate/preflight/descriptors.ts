import type { MappedFile, OpenFile, SourceFacts, TaskFacts } from '../facts/facts.ts'
import { needsOf } from './needs.ts'
import type { Refusal } from '../facts/refusal.ts'
import { isTerminal } from './terminals.ts'
import { eachOf, mebibytes, shown, some, who } from './words.ts'

/** Files that live in the kernel only, by the name it has for them: what to say, or nothing where criu moves them. */
const KERNEL_FILES: Readonly<Record<string, { code: string; what: string; advice?: string } | 'moves'>> = {
  eventfd: 'moves',
  eventpoll: 'moves',
  signalfd: 'moves',
  timerfd: 'moves',
  inotify: 'moves',
  io_uring: {
    code: 'io-uring',
    what: 'uses io_uring',
    advice: 'start Node with UV_USE_IO_URING=0, other programs without io_uring',
  },
  userfaultfd: { code: 'userfaultfd', what: 'handles page faults by itself (userfaultfd)' },
  mqueue: {
    code: 'posix-mqueue',
    what: 'has a POSIX message queue open',
    advice: 'its messages would stay here: move it while it has none open',
  },
  perf_event: { code: 'perf', what: 'counts events of the CPU (perf)' },
}

/** Links of memory that has no file: it moves as memory. */
const MEMORY = /^\/(?:memfd:|dev\/zero \(deleted\)$|anon_hugepage \(deleted\)$|\[aio\] \(deleted\)$)/
const SYSV = /^\/SYSV[0-9a-f]{8} \(deleted\)$/

/** A larger file without a name would keep the process frozen for long: its content is read only then. */
const MOST_GHOST_BYTES = 2 ** 30

export function kernelFiles(source: SourceFacts): Refusal[] {
  const pids = new Set(source.tree.map(({ pid }) => pid))
  const found = new Map<string, Refusal>()
  for (const { task, thing } of eachOf(source, referred)) {
    if (/^(?:\/|pipe:\[|socket:\[)/.test(thing.link)) continue
    const name = /^anon_inode:\[?([\w-]+)\]?$/.exec(thing.link)?.[1] ?? thing.link
    const known = Object.hasOwn(KERNEL_FILES, name) ? KERNEL_FILES[name] : undefined
    const own = 'pidfd' in thing && pids.has(thing.pidfd ?? 0)
    if (known === 'moves' || own) continue
    const { code, what, advice } = known ?? {
      code: 'unknown-file',
      what: `has ${shown(name)} open, which can't move`,
    }
    found.set(code, {
      code,
      sentence: `${who(task)} ${what}`,
      ...(advice === undefined ? {} : { advice }),
      at: 'source',
    })
  }
  return [...found.values()]
}

/** Devices that are the same on every machine: null, zero, full, random and urandom. */
const COMMON_DEVICES = new Set([3, 5, 7, 8, 9])

export function devices(source: SourceFacts): Refusal[] {
  const found = eachOf(source, referred).filter(({ thing }) => {
    const { kind, device } = thing
    if (kind === 'block') return true
    return (
      kind === 'character' && !isTerminal(thing) && !(device.major === 1 && COMMON_DEVICES.has(device.minor))
    )
  })
  const [first] = found
  if (!first) return []
  const names = some(found.map(({ thing }) => shown(thing.link)))
  return [
    { code: 'device', sentence: `${who(first.task)} uses a device of this machine: ${names}`, at: 'source' },
  ]
}

/** The files that have lost their names, or the name by which they were opened, each with who uses it. */
function deletedOf(source: SourceFacts): { task: TaskFacts; thing: OpenFile | MappedFile }[] {
  return eachOf(source, referred).filter(
    ({ thing: { link, deleted, kind } }) =>
      deleted &&
      kind === 'file' &&
      link.startsWith('/') &&
      !MEMORY.test(link) &&
      !SYSV.test(link) &&
      !source.namedAsDeleted?.includes(link),
  )
}

/** Sizes of the files without a name, which go along in the images. Bytes. */
export function ghosts(source: SourceFacts): { largest: number; all: number } {
  const sizes = new Map(deletedOf(source).map(({ thing }) => [thing.identity, thing.sizeBytes]))
  return {
    largest: Math.max(0, ...sizes.values()),
    all: [...sizes.values()].reduce((sum, size) => sum + size, 0),
  }
}

export function deletedFiles(source: SourceFacts): Refusal[] {
  const found = deletedOf(source)
  const big = found.find(({ thing: { sizeBytes } }) => sizeBytes > MOST_GHOST_BYTES)
  const advice = 'start it again: it goes on with the file that has that name now'
  if (big) {
    const what = `${shown(big.thing.link)} of ${mebibytes(big.thing.sizeBytes)}`
    const most = mebibytes(MOST_GHOST_BYTES)
    const sentence = `${who(big.task)} uses a file that has been deleted or replaced: ${what}; up to ${most} could move`
    return [{ code: 'deleted-file', sentence, advice, at: 'source' }]
  }
  const named = found.find(({ thing: { links } }) => links > 0)
  if (!named) return []
  const sentence = `${who(named.task)} uses a file that has another name now: ${shown(named.thing.link)}`
  return [{ code: 'deleted-file', sentence, advice, at: 'source' }]
}

export function sharedMemory(source: SourceFacts): Refusal[] {
  const found = eachOf(source, ({ mapped }) => mapped.filter(({ link }) => SYSV.test(link)))[0]
  if (!found) return []
  return [{ code: 'sysv-shm', sentence: `${who(found.task)} uses System V shared memory`, at: 'source' }]
}

/** What others write to it there, or it here, would not be seen any more. */
export function memoryOutside({ tree, sharers = [] }: SourceFacts): Refusal[] {
  if (sharers.length === 0) return []
  const names = some(sharers.map((each) => who(each)))
  return [{ code: 'memory-outside', sentence: `${who(tree[0])} shares memory with ${names}`, at: 'source' }]
}

/** The files on which the tree holds a lock, with who does. */
export function lockedFiles(source: SourceFacts): { task: TaskFacts; thing: OpenFile }[] {
  return eachOf(source, ({ open }) => open.filter((file) => file.locks.length > 0))
}

/** SQLite knows its file by the inode, which is another one there: it would not write to it any more. */
export function databases(source: SourceFacts): Refusal[] {
  const found = eachOf(source, ({ open }) =>
    open.filter(({ link }) => source.databases?.includes(link) ?? false),
  )
  const [first] = found
  if (!first) return []
  const names = some(found.map(({ thing }) => shown(thing.link)))
  const sentence = `${who(first.task)} has an SQLite database open, ${names}, to which it could not write there (SQLITE_READONLY_DBMOVED)`
  return [{ code: 'sqlite', sentence, advice: 'move it while it has none open', at: 'source' }]
}

export function watchesOnOverlay(source: SourceFacts): Refusal[] {
  const overlays = new Set(source.overlays)
  const found = eachOf(source, ({ open }) =>
    open.filter(({ watches }) => watches.some((each) => overlays.has(each))),
  )[0]
  if (!found) return []
  const sentence = `${who(found.task)} watches files (inotify) on an overlay file system`
  const advice = 'on another file system it can move; `tail ---disable-inotify` looks again and again instead'
  return [{ code: 'inotify-overlayfs', sentence, advice, at: 'source' }]
}

/** A path that is no UTF-8 has come through as something else; one that says that it is deleted criu believes. */
export function oddPaths(source: SourceFacts): Refusal[] {
  const refusal = (paths: readonly string[], what: string): Refusal[] =>
    paths.length === 0
      ? []
      : [{ code: 'odd-path', sentence: `${what}: ${some(paths.map((path) => shown(path)))}`, at: 'source' }]
  return [
    ...refusal(
      needsOf(source).flatMap(({ path }) => (path.includes('\uFFFD') ? [path] : [])),
      'the name of a file is no UTF-8',
    ),
    ...refusal(source.namedAsDeleted ?? [], 'the name of a file reads as that of one that is deleted'),
  ]
}

function referred({ open, mapped }: { open: OpenFile[]; mapped: MappedFile[] }): (OpenFile | MappedFile)[] {
  return [...open, ...mapped]
}
