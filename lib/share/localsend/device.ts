import { hostname } from 'node:os'
import { plain } from '../../base/text.ts'
import { VERSION, type Agent, type Info } from './schema.ts'

const MODELS: Partial<Record<NodeJS.Platform, string>> = {
  darwin: 'macOS',
  linux: 'Linux',
  freebsd: 'FreeBSD',
}

/** What somebody who receives wants to be known as, instead of by the name of the machine. */
export type Introduction = { alias?: string; agent?: Agent }

/** How this machine introduces itself. */
export function ownInfo(
  fingerprint: string,
  protocol: Info['protocol'],
  port: number,
  { alias, agent }: Introduction = {},
): Info {
  return {
    alias: alias ?? hostAlias(),
    version: VERSION,
    deviceModel: MODELS[process.platform] ?? process.platform,
    deviceType: 'headless',
    fingerprint,
    port,
    protocol,
    download: false,
    ...(agent === undefined ? {} : { agent }),
  }
}

function hostAlias(): string {
  return plain(hostname().split('.')[0] ?? '', 63) || 'resource-sharing'
}
