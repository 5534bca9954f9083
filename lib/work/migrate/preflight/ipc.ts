import type { SourceFacts, SystemVObject } from '../facts/facts.ts'
import { sharedMemory } from './descriptors.ts'
import type { Refusal } from '../facts/refusal.ts'
import { some, who } from './words.ts'

const NAMES: Record<SystemVObject['kind'], string> = {
  sem: 'semaphores',
  msg: 'a message queue',
  shm: 'shared memory',
}

/** criu carries System V objects only with the whole namespace that they are in: a copy would find another's, or none. */
export function systemV(source: SourceFacts): Refusal[] {
  const [task] = source.tree
  // Mapped memory is told of by who has mapped it.
  const isMapped = sharedMemory(source).length > 0
  const objects = source.systemV.filter(({ kind }) => kind !== 'shm' || !isMapped)
  if (objects.length === 0) return []
  const named = objects.map(({ kind, id }) => `${NAMES[kind]} (ID ${id})`)
  return [
    {
      code: 'sysv-ipc',
      sentence: `${who(task)}, or what it has started, uses System V ${some(named)}, which can't move along`,
      advice: 'ipcs(1) shows them; end what uses them, remove them with ipcrm(1), and it can move',
      at: 'source',
    },
  ]
}
