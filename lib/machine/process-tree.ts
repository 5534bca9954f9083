import { parseStats } from '../base/proc-stat.ts'

/** What of a process tells with which others it was begun. */
export type Kin = {
  parent: number
  session: number
  /** Of its controlling terminal, as the kernel numbers it; 0 without one. */
  terminal: number
  /** Real user id; its parent's where it has begun since users were asked for, undefined where nobody knows. */
  uid: number | undefined
  kernel: boolean
  stopped: boolean
  /** When it was started, in ticks since the machine was: with the PID and the boot, this process and no other. */
  start: string
}

/** Who began whom on a machine, who asks there, and what this user holds back there. */
export type Family = {
  /** The kernel's id of this start of the machine. */
  boot: string
  /** The user as whom the probe runs, and the processes from it up to PID 1. */
  asker: { uid: number; line: ReadonlySet<number> }
  kin: ReadonlyMap<number, Kin>
  /** Records of processes that are held back, each a line; not parsed yet. */
  held: string[]
}

/**
 * @param stats lines of `/proc/PID/stat`, each with its path in front
 * @param owners lines `/proc/PID/status:Uid:\tREAL\t…`
 */
export function familyOf(given: {
  stats: string
  owners: string
  probePid: number
  boot: string
  held: string
}): Family {
  const { stats, owners, probePid, boot, held } = given
  const uids = new Map<number, number>()
  for (const [, pid, uid] of owners.matchAll(/^\/proc\/(\d{1,10})\/status:Uid:\t(\d{1,10})\t/gm))
    uids.set(Number(pid), Number(uid))
  const kin = new Map(
    parseStats(stats).map(({ pid, parent, session, terminal, kernel, state, startTicks }): [number, Kin] => [
      pid,
      {
        parent,
        session,
        terminal,
        uid: uids.get(pid) ?? uids.get(parent),
        kernel,
        stopped: /[Tt]/.test(state),
        start: String(startTicks),
      },
    ]),
  )
  const line = new Set<number>()
  for (let next = probePid; next > 0 && !line.has(next); next = kin.get(next)?.parent ?? 0) line.add(next)
  return {
    boot,
    asker: { uid: uids.get(probePid) ?? -1, line },
    kin,
    held: held.split('\n').filter((text) => text !== ''),
  }
}
