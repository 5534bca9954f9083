/** One line of a counter's log: a number, and when it was counted, in seconds of the kernel that all hosts share. */
export type Tick = { number: number; at: number }

export type Verdict = { running: 'source' | 'target' | 'neither' | 'both'; faults: string[] }

/** The ticks of a log. @throws when a line is none, other than a last one that is being written */
export function ticksOf(log: string): Tick[] {
  const lines = log.split('\n')
  lines.pop()
  return lines.map((line) => {
    const match = /^(\d+) (\d+\.\d+)$/.exec(line)
    if (!match) throw new Error(`not a tick: ${line}`)
    return { number: Number(match[1]), at: Number(match[2]) }
  })
}

/**
 * What is wrong with what a counter wrote on two machines: a number that is missing or there twice, or one that was
 * counted on both after they parted.
 */
export function faultsOf(source: readonly Tick[], target: readonly Tick[]): string[] {
  const faults: string[] = []
  for (const [name, ticks] of [
    ['source', source],
    ['target', target],
  ] as const)
    ticks.forEach(({ number }, index) => {
      if (number !== index + 1) faults.push(`${name}: ${number} is tick ${index + 1}`)
    })
  const common = source.findIndex((tick, index) => tick.at !== target[index]?.at)
  const shared = common === -1 ? source.length : common
  if (target.length > 0 && source.length > shared && target.length > shared)
    faults.push(`both counted on after ${shared}: ${source.length} and ${target.length}`)
  return faults
}
