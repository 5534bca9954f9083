import { hostname } from 'node:os'
import { plain } from '../text.ts'
import { VERSION, type Info } from './schema.ts'

const MODELS: Partial<Record<NodeJS.Platform, string>> = {
  darwin: 'macOS',
  linux: 'Linux',
  freebsd: 'FreeBSD',
}

/** How this machine introduces itself. */
export function ownInfo(fingerprint: string, protocol: Info['protocol'], port: number): Info {
  return {
    alias: plain(hostname().split('.')[0] ?? '', 63) || 'resource-sharing',
    version: VERSION,
    deviceModel: MODELS[process.platform] ?? process.platform,
    deviceType: 'headless',
    fingerprint,
    port,
    protocol,
    download: false,
  }
}
