import type { SourceFacts, TargetFacts, TargetPath } from '../facts/facts.ts'
import { foldersAbove, needsOf, socketPaths, type Need } from './needs.ts'
import type { Refusal } from '../facts/refusal.ts'
import { shown, some } from './words.ts'

/**
 * Folders of what is installed, by a package or an installer: half of it, the files that are open now, would be worse
 * than none. Nothing is ever put there; the rest, /home, /srv, /tmp, /dev/shm and so on, is the person's own.
 */
const SYSTEM =
  /^\/(?:usr|lib(?:32|64|x32|o32|exec)?|bin|sbin|etc|opt|boot|nix|snap|dev(?!\/shm\/)|proc|sys)(?:\/|$)/

/** What becomes of a need: it is met, it goes along, or it can't be met. */
type Fate =
  | 'met'
  | 'ship'
  | 'missing'
  | 'pipe'
  | 'followed'
  | 'size'
  | 'content'
  | 'mode'
  | 'written'
  | 'another-kind'

function fateOf(need: Need, source: SourceFacts, target: TargetFacts, copyFiles: boolean): Fate {
  const fate = fateOfFile(need, source, target, copyFiles)
  return fate === 'ship' && isFollowed(need, source) ? 'followed' : fate
}

/**
 * Whether the process reads a file and watches for more of it, as `tail -f` does: others write to the one that is here, and
 * tail was seen to hear nothing any more of what was written to its copy there.
 */
function isFollowed({ path, writable }: Need, { tree, watchedPaths = [] }: SourceFacts): boolean {
  if (writable || !watchedPaths.some((each) => each.kind === 'file' && each.path === path)) return false
  return tree.some(({ open }) => open.some(({ link }) => link === path))
}

function fateOfFile(need: Need, source: SourceFacts, target: TargetFacts, copyFiles: boolean): Fate {
  const there = target.paths[need.path]
  const mayShip = copyFiles && need.kind !== 'pipe' && !SYSTEM.test(need.path)
  if (!there) return mayShip ? 'ship' : need.kind === 'pipe' ? 'pipe' : 'missing'
  if (there.kind !== need.kind) return 'another-kind'
  const alike = need.mode === undefined || need.mode === there.mode
  if (need.kind !== 'file') return alike ? 'met' : 'mode'
  const here = source.files[need.path]
  // What an earlier migration has left there, and nobody has changed since, may be replaced.
  const left = there.sha256 !== undefined && there.sha256 === there.left
  const same = here?.sha256 !== undefined && here.sha256 === there.sha256
  if (need.writable) {
    if (mayShip && (same || left)) return 'ship'
    return same ? 'written' : differing(here, there)
  }
  if (same) return alike ? 'met' : mayShip && left ? 'ship' : 'mode'
  return mayShip && left ? 'ship' : differing(here, there)
}

function differing(here: { sizeBytes: number } | undefined, there: TargetPath): Fate {
  return here && here.sizeBytes !== there.sizeBytes ? 'size' : 'content'
}

const INSTALL = 'install the same version there; what the system installs is not taken along'
const PIPES = 'make them there with mkfifo; start make with --jobserver-style=pipe, and it has none'
const FOLLOWED = 'end it here and start it there'
const COPY = 'with --copy-files they go along'
const OTHERS = 'put the same ones there, or take them away: a file that differs is never replaced'

/** Why the files of the target do not do, a refusal a reason. */
export function filesMissing(source: SourceFacts, target: TargetFacts, copyFiles: boolean): Refusal[] {
  const fates = needsOf(source).map((need) => ({ need, fate: fateOf(need, source, target, copyFiles) }))
  const refusal = (
    fate: Fate,
    code: string,
    what: string,
    advice: (system: boolean) => string,
  ): Refusal[] => {
    const paths = fates.filter((each) => each.fate === fate).map(({ need }) => need.path)
    if (paths.length === 0) return []
    const sentence = `${target.host} ${what}: ${some(paths.map((each) => shown(each)))}`
    return [{ code, sentence, advice: advice(paths.some((each) => SYSTEM.test(each))), at: 'target' }]
  }
  return [
    refusal('missing', 'file-missing', 'lacks what the process uses', (system) => (system ? INSTALL : COPY)),
    refusal('pipe', 'file-missing', 'lacks named pipes that the process uses', () => PIPES),
    refusal(
      'followed',
      'file-followed',
      'would have a copy, to which nobody writes, of what the process waits for more of',
      () => FOLLOWED,
    ),
    refusal('another-kind', 'file-missing', 'has something else in the place of', () => OTHERS),
    refusal('size', 'file-size', 'has files of another size', (system) => (system ? INSTALL : OTHERS)),
    refusal('content', 'file-content', 'has files of the same size with other content', (system) =>
      system ? INSTALL : OTHERS,
    ),
    refusal('mode', 'file-mode', 'has files with other permissions', () => 'give them the same with chmod'),
    refusal(
      'written',
      'file-written',
      'has what the process writes to as it is now, but not as it will be',
      (system) => (system ? 'what lies in folders of the system is not taken along' : COPY),
    ),
  ].flat()
}

/** Names that the process's unix sockets need for themselves. */
export function socketNamesTaken(source: SourceFacts, target: TargetFacts): Refusal[] {
  const taken = socketPaths(source).filter((each) => target.paths[each])
  if (taken.length === 0) return []
  const sentence = `${target.host} has something already where the process has a unix socket: ${some(taken.map((each) => shown(each)))}`
  return [{ code: 'unix-socket-path', sentence, at: 'target' }]
}

export type Shipment = {
  /** Absolute paths of regular files; those that are open for writing have to be sent again after the freeze. */
  ship: string[]
  /** Folders that are not there yet, each after the one that it lies in. */
  folders: string[]
  /** SHA-256, in hex, of what is there now of those that are shipped: nothing else may be replaced. */
  known: string[]
  /** Of the files that are shipped. */
  bytes: number
}

/** What has to be sent along; nothing where `copyFiles` is not set. */
export function filesToShip(source: SourceFacts, target: TargetFacts, copyFiles: boolean): Shipment {
  const needs = needsOf(source).filter((need) => fateOf(need, source, target, copyFiles) === 'ship')
  const ship = needs.filter(({ kind }) => kind === 'file').map((need) => need.path)
  const wanted = [
    ...needs.flatMap((need) => [
      ...foldersAbove(need.path),
      ...(need.kind === 'directory' ? [need.path] : []),
    ]),
    ...(copyFiles ? socketPaths(source).flatMap((each) => foldersAbove(each)) : []),
  ]
  return {
    ship,
    folders: [...new Set(wanted)].filter((folder) => !target.paths[folder]),
    known: [...new Set(ship.flatMap((each) => target.paths[each]?.sha256 ?? []))],
    bytes: ship.reduce((sum, each) => sum + (source.files[each]?.sizeBytes ?? 0), 0),
  }
}
