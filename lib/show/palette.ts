import { Chalk, type ChalkInstance, type ColorSupportLevel } from 'chalk'
import type { Trit } from '../model/trit.ts'

/**
 * Colours for a stream: FORCE_COLOR decides where it is set (0 to 3; empty or `true` is 1), then NO_COLOR where it
 * is not empty, then whether the stream is a terminal.
 */
export function palette(stream: Partial<NodeJS.WriteStream>, env: NodeJS.ProcessEnv): ChalkInstance {
  return new Chalk({ level: colourLevel(stream, env) })
}

function colourLevel(stream: Partial<NodeJS.WriteStream>, env: NodeJS.ProcessEnv): ColorSupportLevel {
  const forced = env.FORCE_COLOR
  if (forced !== undefined)
    return forced === '0' || forced === 'false' ? 0 : forced === '2' ? 2 : forced === '3' ? 3 : 1
  if ((env.NO_COLOR ?? '') !== '' || !stream.isTTY || env.TERM === 'dumb') return 0
  const depth = stream.getColorDepth?.(env) ?? 1
  return depth >= 24 ? 3 : depth >= 8 ? 2 : depth >= 4 ? 1 : 0
}

/** The colour of each trit: what is overloaded is red, what has room is green. */
export function tritStyle(colours: ChalkInstance, trit: Trit): ChalkInstance {
  return trit === 1 ? colours.red : trit === -1 ? colours.green : colours.yellow
}
