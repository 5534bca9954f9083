import { innerTerminals, movingTerminal } from './terminals.ts'
import type { SourceFacts, Wanted } from '../facts/facts.ts'
import { portsOfTree } from './network.ts'

/** What must be at a path of the target when the process is restored there. */
export type Need = {
  path: string
  /** Permission bits that it has here; absent where they do not matter. */
  mode?: number
  kind: 'file' | 'directory' | 'pipe'
  /** The process may write to it. */
  writable: boolean
}

/** The kernel's own files, which are there or come with the process. */
const KERNELS = /^\/(?:proc|sys)(?:\/|$)/

/** The files, folders and named pipes that the tree has open, mapped, as its program or as its folder, each once. */
export function needsOf(source: SourceFacts): Need[] {
  const { tree, modes } = source
  const needs = new Map<string, Need>()
  const names = new Map<string, Set<string>>()
  const add = (path: string | undefined, kind: Need['kind'], writable = false) => {
    if (path === undefined || !path.startsWith('/') || path.endsWith(' (deleted)') || KERNELS.test(path))
      return
    const mode = modes[path]
    needs.set(path, {
      path,
      kind,
      writable: writable || (needs.get(path)?.writable ?? false),
      ...(mode === undefined ? {} : { mode }),
    })
  }
  for (const { exe, cwd, root, open, mapped } of tree) {
    add(exe, 'file')
    add(cwd, 'directory')
    add(root, 'directory')
    for (const { link, kind, deleted, writable, identity } of [...open, ...mapped])
      if (!deleted && (kind === 'file' || kind === 'directory' || kind === 'pipe')) {
        add(link, kind, writable)
        if (kind === 'file') names.set(identity, (names.get(identity) ?? new Set()).add(link))
      }
  }
  // Who writes to a file by one of its names writes to it by all.
  for (const group of names.values()) {
    const all = [...group].flatMap((name) => needs.get(name) ?? [])
    const writable = all.some((need) => need.writable)
    for (const need of all) need.writable = writable
  }
  for (const { path, kind } of source.watchedPaths ?? []) add(path, kind)
  for (const path of socketPaths(source)) add(foldersAbove(path).at(-1), 'directory')
  return [...needs.values()]
}

/** Paths of the unix sockets that have one. */
export function socketPaths({ sockets }: SourceFacts): string[] {
  return sockets.flatMap(({ path }) => (path?.startsWith('/') ? [path] : []))
}

/** The folders above a path, the highest first, without the root. */
export function foldersAbove(path: string): string[] {
  const names = path.split('/').slice(1, -1)
  return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`)
}

/** What the target is to be asked about. */
export function wantedOf(source: SourceFacts): Wanted {
  const { tree, users, cpuinfo } = source
  const { terminal } = movingTerminal(source)
  const paths = [
    ...needsOf(source).map(({ path }) => path),
    ...socketPaths(source),
    ...innerTerminals(source).map((index) => `/dev/pts/${index}`),
    ...(terminal ? [terminal.path] : []),
  ]
  // What the leaders of a session and a group have that stay here, the copy does not need: see `leadersOutside`.
  const numbers = tree.flatMap(({ pid, threads }) => [pid, ...threads])
  const uids = [...new Set(tree.map(({ uid }) => uid))]
  return {
    paths: [...new Set(paths.flatMap((path) => [...foldersAbove(path), path]))],
    numbers: [...new Set(numbers)],
    users: uids.map((uid) => {
      const name = users[uid]
      return name === undefined ? { uid } : { uid, name }
    }),
    cpuinfo,
    ports: portsOfTree(source),
  }
}
