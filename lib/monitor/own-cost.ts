import { readFileSync } from 'node:fs'

/** Of one CPU in percent, and of memory, what a program of this one's kind takes. */
export type Cost = { cpuPercent: number; rssBytes: number }

/** Clock ticks of /proc, which are 100 in a second on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

/** Tells what this program, and what it has started and seen end, takes, on the average from now on. */
export class OwnCost {
  readonly #began = performance.now()
  readonly #cpuMs = cpuMs()

  now(): Cost {
    const passedMs = Math.max(1, performance.now() - this.#began)
    return { cpuPercent: (100 * (cpuMs() - this.#cpuMs)) / passedMs, rssBytes: process.memoryUsage.rss() }
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000 + childrenMs()
}

/** cutime and cstime of proc_pid_stat(5). Elsewhere than on Linux what was started is not told. */
function childrenMs(): number {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[13]) + Number(fields[14])
    return Number.isFinite(ticks) ? (ticks * 1000) / TICKS_PER_SECOND : 0
  } catch {
    return 0
  }
}
