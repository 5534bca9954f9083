import { run } from '../../../base/command.ts'

/** What the kernel has counted for some TCP connections since they were opened. */
export type Segments = {
  /** That carried data, those that were sent again included. */
  sent: number
  /** Of these, how many were sent again because nobody had acknowledged them in time. */
  sentAgain: number
}

/** A few milliseconds are usual; where all CPUs are taken it waits for its turn. */
const SS_MS = 10_000

/**
 * Counts what connections of this machine have sent. `ss` asks the kernel; a connection's own program is not told by Node.
 *
 * @param localPorts of the connections, which all lead to the port `port`
 * @returns undefined where there is no `ss`, or none that tells
 */
export async function segmentsOf(
  localPorts: readonly number[],
  port: number,
  signal: AbortSignal,
): Promise<Segments | undefined> {
  if (localPorts.length === 0) return undefined
  const filter = `dport = :${port} and ( ${localPorts.map((local) => `sport = :${local}`).join(' or ')} )`
  const ended = await run({ file: 'ss', args: ['-tinH', filter] }, { timeoutMs: SS_MS, signal })
  return ended.exitCode === 0 ? parseSegments(ended.stdout) : undefined
}

/** The sum over all connections in the output of `ss -tin`; undefined when it has no counts. */
export function parseSegments(output: string): Segments | undefined {
  const sent = sumOf(output, /\bdata_segs_out:(\d+)/g)
  // ss leaves out what is zero: `retrans:NOW/EVER` is only there once something was sent again.
  return sent === undefined ? undefined : { sent, sentAgain: sumOf(output, /\bretrans:\d+\/(\d+)/g) ?? 0 }
}

function sumOf(output: string, pattern: RegExp): number | undefined {
  const numbers = [...output.matchAll(pattern)].map(([, digits]) => Number(digits))
  return numbers.length === 0 ? undefined : numbers.reduce((sum, each) => sum + each, 0)
}

/** The share of segments that were lost between two counts, as far as sending again tells. */
export function lossBetween(before: Segments | undefined, after: Segments | undefined): number | undefined {
  if (before === undefined || after === undefined || after.sent <= before.sent) return undefined
  return Math.min(1, Math.max(0, (after.sentAgain - before.sentAgain) / (after.sent - before.sent)))
}
