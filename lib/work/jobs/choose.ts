import type { Report } from '../../mesh/node.ts'
import { nodeStates, openReceivers } from '../../mesh/snapshot.ts'
import { hostOf, type Host } from '../../mesh/remote/host.ts'
import { expectedCpu } from '../../machine/reservations/reservations.ts'
import { byName } from '../../model/name-order.ts'
import { PLUS_ABOVE_RATIO } from '../../model/policy.ts'

/** A machine, and for how many CPUs of work it has room, what is on its way there included. */
export type RoomyHost = { host: Host; room: number }

/** Where work may go: the best first, and why the other machines with room are left out. */
export type Choice = { places: RoomyHost[]; leftOut: { name: string; why: string }[] }

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
            : ratio > PLUS_ABOVE_RATIO
              ? `it would be overloaded, at a ratio of ${ratio.toFixed(2)}`
              : undefined
      if (why === undefined && node)
        return [{ host: hostOf(node), room: PLUS_ABOVE_RATIO * cpus - load1, ratio }]
      leftOut.push({ name, why: why ?? '' })
      return []
    },
  )
  const best = fit.toSorted((a, b) => a.ratio - b.ratio || byName(a.host.name, b.host.name))
  return { places: best.map(({ host, room }) => ({ host, room })), leftOut }
}
