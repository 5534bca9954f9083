import type { Log } from '../run.ts'
import { LabError } from '../error.ts'
import { installMissing } from './apt.ts'
import { provideDebian } from './debian.ts'
import { provideTailnet, type TailnetBinaries } from './go.ts'

export interface Provisions {
  /** Lower layers of a host's file system, uppermost first. */
  readonly layers: readonly string[]
  readonly tailnet?: TailnetBinaries
}

export const needRootAndLinux = (): void => {
  if (process.platform !== 'linux') throw new LabError('the lab needs Linux: its hosts are Linux namespaces')
  if (process.getuid?.() !== 0) throw new LabError('the lab needs root: it makes namespaces and TUN devices')
}

/** Everything the hosts are made of; the first time it takes minutes, afterwards nothing. */
export const provision = async (wantTailnet: boolean, log: Log): Promise<Provisions> => {
  needRootAndLinux()
  await installMissing(log)
  const [layers, tailnet] = await Promise.all([
    provideDebian(log),
    wantTailnet ? provideTailnet(log) : Promise.resolve(undefined),
  ])
  return tailnet === undefined ? { layers } : { layers, tailnet }
}
