import { UsageError } from '../lib/errors.ts'
import { quoted } from '../lib/text.ts'

export type Bounds = { least: number; most: number; unit?: string }

/** The number in a flag's value. @throws UsageError that names the flag, the value and what it may be */
export function numberOf(flag: string, text: string, { least, most, unit = '' }: Bounds): number {
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new UsageError(
    `${flag} takes a number from ${least} to ${most}${unit && ` ${unit}`}, not ${quoted(text)}`,
  )
}

/** The same for whole numbers. */
export function countOf(flag: string, text: string, bounds: Bounds): number {
  if (/^\d+$/.test(text)) return numberOf(flag, text, bounds)
  const { least, most, unit = '' } = bounds
  throw new UsageError(
    `${flag} takes a whole number from ${least} to ${most}${unit && ` ${unit}`}, not ${quoted(text)}`,
  )
}

/** Milliseconds from the start of this process that `--timeout` leaves it in all. */
export function timeoutMs(text: string | undefined, defaultSeconds = 10): number {
  if (text === undefined) return defaultSeconds * 1000
  return numberOf('--timeout', text, { least: 0.5, most: 3600, unit: 'seconds' }) * 1000
}

/** Milliseconds of `--window`. Below 100 the kernel's ticks of 10 ms would decide what is measured. */
export function windowOf(text: string | undefined): number {
  return countOf('--window', text ?? '500', { least: 100, most: 60_000, unit: 'milliseconds' })
}
