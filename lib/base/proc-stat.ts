/** What `/proc/PID/stat` tells of one process, in the kernel's units. */
export type Stat = {
  pid: number
  parent: number
  session: number
  /** Of its controlling terminal, as the kernel numbers it; 0 without one. */
  terminal: number
  /** The kernel's name of the command (15 bytes), as it is: not yet safe to print. */
  command: string
  /** Whether it is a thread of the kernel's own. */
  kernel: boolean
  /** One letter: `R` runs, `S` and `D` sleep, `T` is stopped, `Z` has ended. */
  state: string
  /** When it was started, in ticks since the machine was: with the PID it is this process and no other. */
  startTicks: number
  /** utime + stime. */
  cpuTicks: number
  rssPages: number
}

/** PF_KTHREAD of the kernel's include/linux/sched.h. */
const KERNEL_THREAD = 0x0020_0000

/** Lines `/proc/PID/stat:…`; consecutive ones of one PID are one process whose name holds newlines. */
export function parseStats(text: string): Stat[] {
  const entries: { pid: number; stat: string }[] = []
  for (const line of text.split('\n')) {
    const match = /^\/proc\/(\d{1,10})\/stat:/.exec(line)
    if (match === null) continue
    const pid = Number(match[1])
    const rest = line.slice(match[0].length)
    const last = entries.at(-1)
    if (last?.pid === pid) last.stat += `\n${rest}`
    else entries.push({ pid, stat: rest })
  }
  return entries.flatMap(({ pid, stat }) => parseStat(pid, stat) ?? [])
}

/**
 * `PID (command) state ppid …`, the fields as proc_pid_stat(5) numbers them. The command may hold blanks,
 * parentheses and newlines: it ends at the last `)`. Undefined when it is something else.
 */
export function parseStat(pid: number, stat: string): Stat | undefined {
  const open = stat.indexOf('(')
  const close = stat.lastIndexOf(')')
  if (open === -1 || close < open) return undefined
  const fields = stat.slice(close + 2).split(' ')
  const field = (number: number) => Number(fields[number - 3])
  const numbers = {
    parent: field(4),
    session: field(6),
    terminal: field(7),
    startTicks: field(22),
    cpuTicks: field(14) + field(15),
    rssPages: field(24),
  }
  if (!Object.values(numbers).every((value) => Number.isFinite(value))) return undefined
  // Bits above 31 would make a negative number of the flags; the bit asked for is below.
  const kernel = (field(9) & KERNEL_THREAD) !== 0
  return { pid, command: stat.slice(open + 1, close), kernel, state: fields[0] ?? '', ...numbers }
}
