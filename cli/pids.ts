import { UsageError } from '../lib/base/errors.ts'
import { quoted } from '../lib/base/text.ts'
import { MOST_PID } from '../verbs/bounds.ts'

/** PIDs on the command line, each once. @throws UsageError that names the one that is none */
export function pidsOf(operands: readonly string[]): number[] {
  if (operands.length === 0) throw new UsageError('which process? Give a PID (--help lists what there is)')
  return [...new Set(operands.map((text) => pidOf(text)))]
}

/** The one PID on the command line. */
export function onePid(operands: readonly string[]): number {
  const [pid, other] = pidsOf(operands)
  if (pid === undefined || other !== undefined) throw new UsageError('give one PID at a time')
  return pid
}

function pidOf(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text) && Number(text) <= MOST_PID) return Number(text)
  throw new UsageError(`${quoted(text)} is not a PID: give a whole number from 1 to ${MOST_PID}`)
}
