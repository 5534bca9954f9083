import { readdir, readFile } from 'node:fs/promises'
import { run } from '../base/command.ts'
import { Failure } from '../base/errors.ts'
import { ONLY_OWN } from './processes.ts'
import { parseStat } from '../base/proc-stat.ts'
import { plain } from '../base/text.ts'

/** A process of this machine as it is now. */
export type LiveProcess = {
  pid: number
  parent: number
  uid: number
  /** The kernel's name of the command, as it is: not yet safe to print. */
  command: string
  /** Whether it is a thread of the kernel's own. */
  kernel: boolean
  /** When it was started, as the system tells it: with the PID, and until a reboot, this process and no other. */
  start: string
  /** Stopped, by a signal or by a debugger. */
  stopped: boolean
}

/** All processes of this machine, by PID; those that have ended and wait for their parent are not there. */
export async function liveProcesses(): Promise<Map<number, LiveProcess>> {
  const all = process.platform === 'linux' ? await fromProc() : await fromPs()
  return new Map(all.map((each) => [each.pid, each]))
}

/** A process, as it is now where it is still there, and its descendants, parents first. */
export function treeOf(all: ReadonlyMap<number, LiveProcess>, root: LiveProcess): LiveProcess[] {
  const now = all.get(root.pid)
  const tree = new Set([now?.start === root.start ? now : root])
  // A set is walked in the order of insertion, with what is added meanwhile.
  for (const member of tree) for (const each of all.values()) if (each.parent === member.pid) tree.add(each)
  return [...tree]
}

/** A process and those above it, up to PID 1. */
export function lineOf(all: ReadonlyMap<number, LiveProcess>, pid: number): Set<number> {
  const line = new Set<number>()
  for (let next = pid; next > 0 && !line.has(next); next = all.get(next)?.parent ?? 0) line.add(next)
  return line
}

/** Why a process is not among all: it may have ended and wait for its parent, or be hidden from who asks. */
export async function whyAbsent(pid: number, all: ReadonlyMap<number, LiveProcess>): Promise<string> {
  const text = process.platform === 'linux' ? await proc(`${pid}/stat`) : undefined
  const stat = text === undefined ? undefined : parseStat(pid, text)
  if (stat?.state === 'Z') {
    const parent = all.get(stat.parent)
    const name = `PID ${stat.parent}${parent ? ` (${plain(parent.command, 40)})` : ''}`
    return `PID ${pid} (${plain(stat.command, 40)}) has ended already; it is listed until its parent, ${name}, asks how it ended, or ends too`
  }
  const hidden = all.has(1) ? '' : `, or it is another user's: ${ONLY_OWN}`
  return `there is no process with PID ${pid}${hidden}`
}

/** Whether this very process, and not a later one with its PID, is still there. */
export async function isThere({ pid, start }: Pick<LiveProcess, 'pid' | 'start'>): Promise<boolean> {
  return (await liveProcess(pid))?.start === start
}

/** The process with this PID; undefined when there is none. */
export async function liveProcess(pid: number): Promise<LiveProcess | undefined> {
  return process.platform === 'linux' ? await readProc(pid) : (await liveProcesses()).get(pid)
}

async function fromProc(): Promise<LiveProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  return (await Promise.all(pids.map((pid) => readProc(pid)))).filter((each) => each !== undefined)
}

async function readProc(pid: number): Promise<LiveProcess | undefined> {
  const [text, status] = await Promise.all([proc(`${pid}/stat`), proc(`${pid}/status`)])
  const stat = text === undefined ? undefined : parseStat(pid, text)
  const uid = /^Uid:\t(\d+)\t/m.exec(status ?? '')?.[1]
  if (stat === undefined || uid === undefined || /[ZXx]/.test(stat.state)) return undefined
  const { parent, command, kernel, startTicks, state } = stat
  return {
    pid,
    parent,
    uid: Number(uid),
    command,
    kernel,
    start: String(startTicks),
    stopped: /[Tt]/.test(state),
  }
}

/** A file below /proc; undefined when its process is gone. */
async function proc(path: string): Promise<string | undefined> {
  return await readFile(`/proc/${path}`, 'utf8').catch(() => undefined)
}

async function fromPs(): Promise<LiveProcess[]> {
  const command = { file: 'ps', args: ['-axo', 'pid=,ppid=,uid=,state=,lstart=,comm='], env: { LC_ALL: 'C' } }
  const { stdout, exitCode } = await run(command, { timeoutMs: 10_000, signal: new AbortController().signal })
  if (exitCode !== 0) throw new Failure('ps does not list the processes of this machine')
  return stdout.split('\n').flatMap((line) => {
    const match = /^ *(\d+) +(\d+) +(\d+) +(\S+) +(\w+ +\w+ +\d+ [\d:]+ \d+) +(.*)$/.exec(line)
    if (match === null || match[4]?.startsWith('Z')) return []
    const [, pid, parent, uid, state = '', start = '', name = ''] = match
    const stopped = state.startsWith('T')
    return [
      {
        pid: Number(pid),
        parent: Number(parent),
        uid: Number(uid),
        command: name,
        kernel: pid === '0',
        start,
        stopped,
      },
    ]
  })
}

/** Which start of this machine this is: a process of an earlier one can't be there any more. */
export async function bootId(): Promise<string> {
  const id = await proc('sys/kernel/random/boot_id')
  if (id !== undefined) return id.trim()
  const command = { file: 'sysctl', args: ['-n', 'kern.boottime'] }
  const { stdout } = await run(command, { timeoutMs: 5000, signal: new AbortController().signal })
  return stdout.trim() || 'unknown'
}

/** Who runs this program, and the processes that it can't do without. */
export async function thisSession(
  all: ReadonlyMap<number, LiveProcess>,
): Promise<{ uid: number; line: Set<number> }> {
  return { uid: process.getuid?.() ?? 0, line: lineOf(all, process.pid) }
}
