import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Deeds } from '../../../verbs/web/deeds.ts'
import type { Site } from '../../../verbs/web/server.ts'
import { meshMetrics } from '../../monitor/mesh-metrics.ts'
import type { MeshNode } from '../../mesh/node.ts'
import { snapshotOf } from '../../mesh/snapshot.ts'
import { byName } from '../../model/name-order.ts'
import { machineDocument, meshDocument } from './document.ts'
import { machineContent } from './machine-content.ts'
import { meshContent, type Machine, type UnderWay, type Watched } from './mesh-content.ts'

/** Who watches the mesh: the observer of lib/mesh. */
export type Watcher = {
  readonly machines: ReadonlyMap<string, Machine & { node: MeshNode }>
  readonly mesh: Watched['mesh']
  lookAt: (name: string) => () => void
}

const FILES = {
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
} as const

/** The mesh as pages for a browser, and as metrics for Prometheus. */
export async function meshSite(watcher: Watcher, underWay: () => UnderWay, deeds?: Deeds): Promise<Site> {
  const files = await Promise.all(
    Object.entries(FILES).map(async ([path, [name, type]]) => {
      const body = await readFile(join(import.meta.dirname, name), 'utf8')
      return [path, { type, body }] as const
    }),
  )
  const machines = () => [...watcher.machines.values()]
  const known = (name: string | undefined) => {
    if (name === undefined)
      return meshContent({ mesh: watcher.mesh, machines: machines(), underWay: underWay() }, new Date())
    const machine = watcher.machines.get(name)
    return machine && machineContent(machine, new Date())
  }
  const content = (name: string | undefined) => {
    const found = known(name)
    return found && { ...found, lists: { ...found.lists, deeds: deeds?.lines() ?? [] } }
  }
  return {
    files: new Map(files),
    content,
    ...(deeds ? { deeds } : {}),
    document: (path, query) => {
      const name = path === '/' ? undefined : (query.get('name') ?? '')
      const shown = path === '/' || path === '/machine' ? content(name) : undefined
      if (shown === undefined) return undefined
      const order = query.get('order') === 'load' ? 'load' : 'name'
      return name === undefined
        ? meshDocument(shown, order, new Date())
        : machineDocument(name, shown, new Date(), deeds)
    },
    lookAt: (name) => watcher.lookAt(name),
    metrics: (openMetrics) => metricsOf(watcher, machines(), openMetrics),
  }
}

function metricsOf({ mesh }: Watcher, machines: readonly Machine[], openMetrics: boolean): string {
  const now = new Date()
  const snapshot = snapshotOf(
    machines.flatMap(({ report }) => (report ? [report] : [])),
    now,
    mesh,
  )
  const named = new Map(machines.map((machine) => [machine.report?.node.name, machine]))
  const nodes = snapshot.nodes
    .toSorted((a, b) => byName(a.name, b.name))
    .map((state) => {
      const { measuredAtMs, processes } = named.get(state.name) ?? {}
      return {
        state,
        ...(measuredAtMs === undefined ? {} : { measuredAtMs }),
        ...(processes ? { processes: processes.list } : {}),
      }
    })
  return meshMetrics(nodes, snapshot, { nowMs: now.getTime(), openMetrics })
}
