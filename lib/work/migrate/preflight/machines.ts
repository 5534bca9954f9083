import { MEMORY_MARGIN } from '../../../model/policy.ts'
import type { MachineFacts, SourceFacts, TargetFacts } from '../facts/facts.ts'
import type { Refusal } from '../facts/refusal.ts'
import { olderThan } from './criu-version.ts'
import { ghosts } from './descriptors.ts'
import { mebibytes, shown, some } from './words.ts'

/** What the whole tree has in memory, and what its images will take on a disk. Bytes. */
export function sizes(source: SourceFacts): { memoryBytes: number; imageBytes: number } {
  const { tree } = source
  const sum = (of: (task: SourceFacts['tree'][number]) => number) =>
    tree.reduce((total, task) => total + of(task), 0)
  // Tables of pages, registers and the like: some KiB a thread.
  const small = sum(({ threads }) => 2 ** 20 + threads.length * 2 ** 14)
  return {
    memoryBytes: sum((task) => task.memoryBytes),
    imageBytes: sum((task) => task.imageBytes) + small + ghosts(source).all,
  }
}

export function criuWorks(machine: MachineFacts & { host: string }, at: Refusal['at']): Refusal[] {
  const { host, criu } = machine
  if (!criu) {
    const advice =
      'install criu there: `apt install criu`; on Debian 12 and Ubuntu 22.04 a newer one, from criu.org'
    return [{ code: 'no-criu', sentence: `${host}: criu is not installed`, advice, at }]
  }
  if (criu.check.ok) return []
  const sentence = `${host}: \`criu check\` says: ${criu.check.line || 'nothing'}`
  return [{ code: 'criu-check', sentence, advice: `\`just doctor ${host}\` tells more`, at }]
}

export function diskHas(host: string, diskBytes: number, bytes: number, at: Refusal['at']): Refusal[] {
  if (diskBytes >= bytes) return []
  const sentence = `${host} has ${mebibytes(diskBytes)} free below /var/lib, and ${mebibytes(bytes)} are needed`
  return [{ code: 'disk', sentence, at }]
}

export function memoryHas(source: SourceFacts, target: TargetFacts): Refusal[] {
  const needed = MEMORY_MARGIN * sizes(source).memoryBytes
  if (target.memoryBytes >= needed) return []
  const sentence = `${target.host} has ${mebibytes(target.memoryBytes)} of memory to give, and ${mebibytes(needed)} are needed`
  return [{ code: 'memory', sentence, at: 'target' }]
}

/** Same architecture, and neither kernel nor criu older than what the process has seen. */
export function alike(source: SourceFacts, target: TargetFacts): Refusal[] {
  const { host } = target
  const refusals: Refusal[] = []
  const add = (code: string, sentence: string, advice?: string) =>
    refusals.push({
      code,
      sentence: `${host}: ${sentence}`,
      ...(advice === undefined ? {} : { advice }),
      at: 'target',
    })
  if (target.identity === source.identity) add('same-machine', 'that is the machine where the process is')
  if (target.arch !== source.arch) add('arch', `its architecture is ${target.arch}, not ${source.arch}`)
  if (olderThan(target.kernel, source.kernel))
    add('kernel', `its kernel ${target.kernel} is older than ${source.kernel}, which the process knows`)
  if (source.criu && target.criu && olderThan(target.criu.version, source.criu.version))
    add(
      'criu-version',
      `its criu ${target.criu.version} is older than ${source.criu.version}`,
      'install a newer one',
    )
  if (target.cpu?.ok === false)
    add('cpu', `its CPU lacks what this one has${target.cpu.line === '' ? '' : `: ${target.cpu.line}`}`)
  return refusals
}

export function numbersFree({ tree }: SourceFacts, { host, taken, mostPid }: TargetFacts): Refusal[] {
  const highest = Math.max(...tree.flatMap(({ pid, threads }) => [pid, ...threads]))
  const refusals: Refusal[] = []
  if (taken.length > 0)
    refusals.push({
      code: 'pid-taken',
      sentence: `${host}: another process has the number ${some(taken.map(String))} now`,
      advice: 'try again later, or another machine with --target',
      at: 'target',
    })
  if (highest > mostPid)
    refusals.push({
      code: 'pid-range',
      sentence: `${host} gives no PID above ${mostPid}, and ${highest} is needed`,
      advice: `\`sysctl kernel.pid_max=4194304\` there`,
      at: 'target',
    })
  return refusals
}

/** A process is restored with its numbers: there they must be the same people's. */
export function ownersKnown({ tree, users }: SourceFacts, { host, users: there }: TargetFacts): Refusal[] {
  return [...new Set(tree.map(({ uid }) => uid))].flatMap((uid): Refusal[] => {
    const name = users[uid]
    const found = there.find((each) => each.uid === uid)
    if (name === undefined)
      return [
        {
          code: 'no-user',
          sentence: `uid ${uid} has no name here: nobody can say who it is there`,
          at: 'source',
        },
      ]
    if (found?.nameThere === name && found.uidThere === uid) return []
    const [who, other] = [shown(name), shown(found?.nameThere ?? '')]
    const sentence =
      found?.uidThere === undefined
        ? `${host} has no user ${who}`
        : found.uidThere === uid
          ? `${host} calls the uid ${uid} ${other}, not ${who}`
          : `${host} has the user ${who} with uid ${found.uidThere}, not ${uid}`
    return [{ code: 'no-user', sentence, advice: `\`useradd -u ${uid} ${who}\` there`, at: 'target' }]
  })
}
