import { UsageError } from '../lib/base/errors.ts'
import { quoted } from '../lib/base/text.ts'
import { TIMEOUT_SECONDS, type Bounds } from '../verbs/bounds.ts'

/** The number in a flag's value, or the usual one. @throws UsageError that names the flag, the value and what it may be */
export function numberOf(flag: string, text: string | undefined, bounds: Bounds): number {
  if (text === undefined) return bounds.usual
  const { least, most, unit = '' } = bounds
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new UsageError(
    `${flag} takes a number from ${least} to ${most}${unit && ` ${unit}`}, not ${quoted(text)}`,
  )
}

/** The same for whole numbers. */
export function countOf(flag: string, text: string | undefined, bounds: Bounds): number {
  if (text === undefined || /^\d+$/.test(text)) return numberOf(flag, text, bounds)
  const { least, most, unit = '' } = bounds
  throw new UsageError(
    `${flag} takes a whole number from ${least} to ${most}${unit && ` ${unit}`}, not ${quoted(text)}`,
  )
}

/** Seconds of `--timeout`; undefined without it: each verb has a time of its own. */
export function timeoutSecondsOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : numberOf('--timeout', text, TIMEOUT_SECONDS)
}
