import type { Marks } from '../receiver/marks.ts'

/** Share of time, in percent, in which at least one task waited for a CPU (`/proc/pressure/cpu`, line "some"). */
export type Pressure = { some10: number; some60: number }

/** What one machine says of its load. Without `load` and `cpus` there is no measurement. */
export type Measurement = {
  /** `linux`, `macOS`, `freebsd`, … as tailscale writes them. */
  os: string
  /** Load averages over 1, 5 and 15 minutes. */
  load1: number
  load5: number
  load15: number
  /** CPUs that the machine may use. */
  cpus: number
  uptimeSeconds?: number
  pressure?: Pressure
  /** Memory that new work can have without swapping (`MemAvailable`). */
  availableBytes?: number
  /** What it keeps about the work that is sent to it; absent where it keeps nothing. */
  receiver?: Marks
}
