import type { Marks } from './reservations/reservations.ts'

/**
 * Share of time, in percent, in which at least one task waited for a CPU (`/proc/pressure/cpu`, line "some"), over 10 and
 * over 60 seconds. Prometheus has no shorter time than between two of its looks.
 */
export type Pressure = { some10?: number; some60: number }

/** What one machine says of its load. Without `load` and `cpus` there is no measurement. */
export type Measurement = {
  /** `linux`, `macOS`, `freebsd`, … as tailscale writes them. */
  os: string
  /** Load averages over 1, 5 and 15 minutes. */
  load1: number
  load5: number
  load15: number
  /** CPUs of the machine that are online: the load averages are of these. */
  cpus: number
  /** CPUs that the asking session may use, by its affinity mask, where these are fewer. */
  usableCpus?: number
  /** CPUs that the quota of its control groups is worth, where it is less: `1.5` for 150 ms in each 100 ms. */
  quotaCpus?: number
  uptimeSeconds?: number
  pressure?: Pressure
  /** Memory that new work can have without swapping (`MemAvailable`). */
  availableBytes?: number
  /** What it keeps about the work that is sent to it; absent where it keeps nothing. */
  receiver?: Marks
}
