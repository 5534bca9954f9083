import type { ChalkInstance } from 'chalk'
import { signed, TRIT_NAMES, type Trit } from '../model/trit.ts'
import { tritStyle } from './palette.ts'

export type RoomyNode = { name: string; load1: number; cpus: number; ratio: number; trit: Trit }

/** A line of `find-minus`: `name: load1` first, because people cut there. */
export function receiverLine({ name, load1, cpus, ratio, trit }: RoomyNode, colours: ChalkInstance): string {
  const on = `on ${cpus} CPU${cpus === 1 ? '' : 's'}, ratio ${ratio.toFixed(2)}`
  return `${name}: ${load1.toFixed(2)}  ${on}, ${tritStyle(colours, trit)(`${signed(trit)} ${TRIT_NAMES[trit]}`)}`
}
