import type { Report } from '../mesh/node.ts'
import { nodeStates, openReceivers } from '../mesh/snapshot.ts'
import { hostOf, type Host } from '../host/host.ts'
import { expectedCpu } from '../receiver/marks.ts'

/** A machine, and for how many CPUs of work it has room, what is on its way there included. */
export type Place = { host: Host; room: number }

/** Where work may go: the best first, and why the other machines with room are left out. */
export type Choice = { places: Place[]; leftOut: { name: string; why: string }[] }

/** Above it a machine is PLUS. */
const FULL = 0.8

/**
 * The machines that have room for work of so many CPUs, what has just arrived there counted: MINUS, open, reserved by
 * nobody, and not full with it. The one that is emptiest with it comes first.
 */
export function choosePlaces(reports: readonly Report[], cpu: number): Choice {
  const nodes = new Map(reports.map(({ node }) => [node.name, node]))
  const leftOut: Choice['leftOut'] = []
  const fit = openReceivers(nodeStates(reports)).flatMap(
    ({ name, os, load1, cpus, receiver = { arrivals: [] } }) => {
      const node = nodes.get(name)
      const ratio = (load1 + expectedCpu(receiver) + cpu) / cpus
      const why = !node?.ssh
        ? 'it has no ssh'
        : os.toLowerCase() !== 'linux'
          ? `commands are sent to Linux only, not to ${os}`
          : receiver.reserved
            ? `it is reserved by ${receiver.reserved.owner}`
            : ratio > FULL
              ? `it would be overloaded, at a ratio of ${ratio.toFixed(2)}`
              : undefined
      if (why === undefined && node) return [{ host: hostOf(node), room: FULL * cpus - load1, ratio }]
      leftOut.push({ name, why: why ?? '' })
      return []
    },
  )
  const best = fit.toSorted((a, b) => a.ratio - b.ratio || (a.host.name < b.host.name ? -1 : 1))
  return { places: best.map(({ host, room }) => ({ host, room })), leftOut }
}
