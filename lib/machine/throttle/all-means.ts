import { cgroupMeans } from './cgroup.ts'
import { cpulimit } from './cpulimit.ts'
import { renice } from './nice.ts'
import { pause } from './pause.ts'
import { systemd } from './systemd.ts'

/**
 * The ways to hold a process back, the best first, by the names that records and `--by` know them by. To add one, write a
 * file like pause.ts and give it its place here: what is particular about it stands in the means itself. A name that
 * records have once had stays, or what they hold could not be released any more.
 */
export const ALL_MEANS = {
  cgroup2: cgroupMeans(2),
  systemd,
  cgroup1: cgroupMeans(1),
  cpulimit,
  renice,
  pause,
}

export type MeansName = keyof typeof ALL_MEANS

/** All names, the best means first. */
export const MEANS_NAMES = Object.keys(ALL_MEANS).filter((name): name is MeansName => name in ALL_MEANS)
