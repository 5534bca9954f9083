import { hostname } from 'node:os'
import { plain } from '../base/text.ts'
import type { MeshNode } from './node.ts'

const OS_NAMES: Partial<Record<NodeJS.Platform, string>> = { darwin: 'macOS', win32: 'windows' }

/** This machine as a mesh of its own knows it. */
export function thisMachine(): MeshNode {
  const name = plain(hostname().split('.')[0] ?? '', 63) || 'localhost'
  return { name, address: '127.0.0.1', os: OS_NAMES[process.platform] ?? process.platform, self: true }
}
