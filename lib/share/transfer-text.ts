import { bytesText } from '../base/bytes.ts'
import { duration } from '../base/duration.ts'

export type Moved = { bytes: number; of: number; seconds: number }

/** How far a transfer is, how fast it goes, and how long it will take: `45 % of 1.0 GiB, 110 MiB/s, 5 s left`. */
export function transferText({ bytes, of, seconds }: Moved): string {
  const share = of === 0 ? 100 : Math.floor((100 * bytes) / of)
  const speed = seconds > 0 ? bytes / seconds : 0
  const left = speed > 0 && seconds >= 1 ? `, ${duration((of - bytes) / speed)} left` : ''
  return `${share} % of ${bytesText(of)}, ${bytesText(speed)}/s${left}`
}
