import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { run, startDetached } from '../../base/command.ts'
import { Failure } from '../../base/errors.ts'
import { measureHere } from '../measure-here.ts'
import { liveProcesses } from '../live-processes.ts'
import { continueAll } from '../signals.ts'
import { stoppedNow, toContinue, type Means, type Target } from './means.ts'

const WINDOW_MS = 300
const ROUNDS = 40

/**
 * Stops and continues the busy processes of a tree in turn, by cpulimit. It limits one process each, so the percent
 * is divided by what each uses at the start; a child that is started later is not held.
 */
export const cpulimit: Means = {
  title: 'cpulimit (the processes that are busy now)',
  linuxOnly: true,
  limits: true,
  onlyWhenAsked: false,
  releasedBySh: false,
  async missing() {
    const { missing } = await run({ file: 'cpulimit', args: ['--help'] }, brief(3000))
    return missing ? 'cpulimit is not installed' : undefined
  },
  plan: async (target) => stoppedNow(target.tree),
  async apply(target) {
    const limits = await dividedLimits(target)
    // The shell is found again by its name, which holds the record's id.
    startDetached({ file: '/bin/sh', args: ['-c', SUPERVISOR, nameOf(target.id), ...limits] })
    for (let round = 0; round < ROUNDS; round += 1) {
      if ((await supervisors(target.id)).length > 0) return
      await sleep(25)
    }
    throw new Failure("cpulimit can't be started")
  },
  async undo(tree, undo, id) {
    for (let round = 0; round < ROUNDS; round += 1) {
      const pids = await supervisors(id)
      if (pids.length === 0) break
      for (const pid of pids) endGroup(pid, round < ROUNDS / 2 ? 'SIGTERM' : 'SIGKILL')
      await sleep(50)
    }
    await continueAll(toContinue((await liveProcesses()).values(), tree, undo))
  },
  works: async (id) => (await supervisors(id)).length > 0,
}

// Each cpulimit is waited for, and its process continued: one that was killed leaves it stopped. A signal to the
// group ends them all; cpulimit itself continues its process when it is told to end.
const SUPERVISOR = `
for each do
  (
    trap 'kill "$limiter" 2>/dev/null' TERM
    cpulimit --quiet --lazy --pid="\${each%%:*}" --limit="\${each##*:}" >/dev/null 2>&1 &
    limiter=$!
    wait "$limiter"
    wait "$limiter" 2>/dev/null
    kill -CONT "\${each%%:*}" 2>/dev/null
  ) &
done
trap : TERM
wait
wait
`

/** `PID:PERCENT` of each busy process, in proportion to what it uses now, so that together they get the percent. */
async function dividedLimits({ tree, percent }: Target): Promise<string[]> {
  const { processes = [] } = await measureHere({ windowMs: WINDOW_MS }, brief(10_000))
  const usage = new Map(processes.map(({ pid, cpuPercent }) => [pid, cpuPercent]))
  // What somebody has stopped stays so: cpulimit would continue it.
  const running = tree.filter(({ stopped }) => !stopped)
  const busy = running.map(({ pid }) => ({ pid, used: usage.get(pid) ?? 0 })).filter(({ used }) => used > 1)
  const total = busy.reduce((sum, { used }) => sum + used, 0)
  if (running.length === 0) throw new Failure('it is stopped already')
  if (total === 0) return running.slice(0, 1).map(({ pid }) => `${pid}:${Math.round(percent)}`)
  return busy.map(({ pid, used }) => `${pid}:${Math.max(1, Math.round((percent * used) / total))}`)
}

/** PIDs of the shell that looks after the limiters of a record, and of its children; the shell leads their group. */
async function supervisors(id: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async (pid) => {
      const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
      return words[1] === '-c' && words[3] === nameOf(id) ? [Number(pid)] : []
    }),
  )
  return found.flat()
}

function nameOf(id: string): string {
  return `resource-sharing-limiter-${id}`
}

/** Ends a group of which this process is the leader, or else the process alone. */
function endGroup(pid: number, name: NodeJS.Signals): void {
  for (const target of [-pid, pid])
    try {
      process.kill(target, name)
    } catch {
      // It is gone, or it leads no group.
    }
}

function brief(timeoutMs: number) {
  return { timeoutMs, signal: new AbortController().signal }
}
