import type { SourceFacts, TargetFacts } from './facts/facts.ts'
import {
  databases,
  deletedFiles,
  devices,
  kernelFiles,
  memoryOutside,
  oddPaths,
  sharedMemory,
  watchesOnOverlay,
} from './preflight/descriptors.ts'
import { filesMissing, filesToShip, socketNamesTaken } from './preflight/files.ts'
import { ended, guarded } from './preflight/guards.ts'
import {
  alike,
  criuWorks,
  diskHas,
  memoryHas,
  numbersFree,
  ownersKnown,
  sizes,
} from './preflight/machines.ts'
import { systemV } from './preflight/ipc.ts'
import type { Refusal } from './facts/refusal.ts'
import { namesTaken, noHolder, notAgreed, terminals } from './preflight/terminal-refusals.ts'
import { addressesFree, networkSockets } from './preflight/network.ts'
import { pipesOutside, unixSocketsOutside } from './preflight/sockets.ts'
import {
  elsewhere,
  leadersOutside,
  limited,
  service,
  stuck,
  traced,
  watched,
} from './preflight/surroundings.ts'

export { criuOptions } from './preflight/carried.ts'
export { changes } from './preflight/changes.ts'
export { filesToShip, type Shipment } from './preflight/files.ts'
export { movingTerminal } from './preflight/terminals.ts'
export { sizes } from './preflight/machines.ts'
export { wantedOf } from './preflight/needs.ts'

export type Options = {
  /** Whether files that the target lacks are taken along. */
  copyFiles: boolean
  /** Whether another user's process may be moved. */
  force: boolean
  /** Unless this is false, a process may be moved with the terminal that somebody may look at. */
  withTerminals?: boolean
  /** Whether its connections may be closed. */
  closeConnections?: boolean
}

/**
 * Why a process can't move: what the source alone decides first, and then, with a target's facts, what that target
 * lacks. Empty when it can. A process that must not be touched is refused for that reason alone.
 */
export function refusals(source: SourceFacts, target: TargetFacts | undefined, options: Options): Refusal[] {
  const untouchable = [...guarded(source, options.force), ...ended(source)]
  if (untouchable.length > 0) return untouchable
  const here = [
    ...SOURCE_CHECKS.flatMap((check) => check(source, options)),
    ...notAgreed(source, options.withTerminals ?? true),
  ]
  return target ? [...here, ...targetRefusals(source, target, options)] : here
}

/** Each looks for one or some of the reasons that docs/messages.md lists, of those that need no target. */
const SOURCE_CHECKS: readonly ((source: SourceFacts, options: Options) => Refusal[])[] = [
  elsewhere,
  terminals,
  service,
  watched,
  leadersOutside,
  traced,
  limited,
  stuck,
  pipesOutside,
  unixSocketsOutside,
  (source, { closeConnections = false }) => networkSockets(source, closeConnections),
  kernelFiles,
  devices,
  sharedMemory,
  systemV,
  memoryOutside,
  deletedFiles,
  databases,
  watchesOnOverlay,
  oddPaths,
  (source) => criuWorks(source, 'source'),
  (source) => diskHas(source.host, source.diskBytes, sizes(source).imageBytes, 'source'),
]

function targetRefusals(source: SourceFacts, target: TargetFacts, { copyFiles }: Options): Refusal[] {
  const bytes = sizes(source).imageBytes + filesToShip(source, target, copyFiles).bytes
  return [
    ...criuWorks(target, 'target'),
    ...alike(source, target),
    ...memoryHas(source, target),
    ...diskHas(target.host, target.diskBytes, bytes, 'target'),
    ...numbersFree(source, target),
    ...ownersKnown(source, target),
    ...filesMissing(source, target, copyFiles),
    ...socketNamesTaken(source, target),
    ...namesTaken(source, target),
    ...noHolder(source, target),
    ...addressesFree(source, target),
  ]
}
