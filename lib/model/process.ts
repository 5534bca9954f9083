/** One process and what it uses. CPU is in percent of one CPU and may exceed 100; memory of the machine's. */
export type Process = {
  pid: number
  /** Its user's name, or number where the machine has no name for it. As it is: not yet safe to print. */
  user: string
  /** The kernel's name of the command (15 bytes on Linux), as it is: not yet safe to print. */
  command: string
  cpuPercent: number
  memPercent: number
  rssBytes: number
  runtimeHours: number
}

/** Who uses most of a CPU; undefined where nobody uses a hundredth of one. */
export function busiestOf(processes: readonly Process[]): Process | undefined {
  const [busiest] = processes.toSorted((a, b) => b.cpuPercent - a.cpuPercent)
  return busiest && busiest.cpuPercent >= 1 ? busiest : undefined
}
