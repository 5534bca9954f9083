/**
 * What a script on another machine prints stands in a frame, because login shells, ssh and sudo print around it: between
 * the line `NONCE begin` and the line `NONCE end`, which may tell a status too. The nonce is new each time and random: no
 * text that was there before can hold it.
 *
 * This file reads a frame of which all has arrived. What passes on what it gets as it comes has to do so by itself:
 * `Unframe` of lib/work/jobs/frame.ts, and `Unframed` of lib/work/migrate/transport.ts.
 */
export type Frame =
  /** It has begun and ended; the body is without the newline before its end. */
  | { state: 'whole'; body: string; status: number | undefined }
  /** It has begun, and its end is missing or is cut short itself. */
  | { state: 'cut short' }
  | { state: 'absent' }

/** What stands before a body, with the newline that ends whatever was printed before. */
export function frameBegin(nonce: string): string {
  return `\n${nonce} begin\n`
}

/** What stands after a body, with the newline before it; a blank and a status may follow. */
export function frameEnd(nonce: string): string {
  return `\n${nonce} end`
}

/** Takes what a script printed out of its frame. Its last end counts. */
export function readFrame(output: string, nonce: string): Frame {
  // The frame may begin at once, and hold nothing: then the newline before its line is missing, or counted already.
  const all = `\n${output}`
  const [begin, end] = [frameBegin(nonce), frameEnd(nonce)]
  const start = all.indexOf(begin)
  if (start === -1) return { state: 'absent' }
  const rest = all.slice(start + begin.length - 1)
  const stop = rest.lastIndexOf(end)
  const status = stop === -1 ? null : /^(?: (\d{1,3}))?\n/.exec(rest.slice(stop + end.length))
  if (status === null) return { state: 'cut short' }
  const body = rest.slice(1, Math.max(1, stop))
  return { state: 'whole', body, status: status[1] === undefined ? undefined : Number(status[1]) }
}
