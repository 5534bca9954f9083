import { plain } from '../../base/text.ts'
import { RULES } from '../../model/balance.ts'
import { signed, TRIT_NAMES } from '../../model/trit.ts'
import type { WatchLine } from '../../../verbs/watch/schemas.ts'

/** A change as a line that can be read by itself, aloud too. */
export function changeLine(change: WatchLine): string {
  const time = change.at.slice(11, 19)
  return plain(`${time} ${sentence(change)}`, 500)
}

function sentence(change: WatchLine): string {
  switch (change.event) {
    case 'machine':
      return machineText(change.node)
    case 'gone':
      return `${change.name} is in the mesh no longer`
    case 'warning':
      return change.text
    case 'balance': {
      const { sum, invariantHolds, rule, moves } = change
      const whom = moves.map(({ from, to }) => `${from} to ${to}`).join(', ')
      const invariant = invariantHolds ? 'the invariant holds' : 'the invariant does not hold'
      return `Σ = ${signed(sum)}, ${invariant}; rule ${rule}: ${RULES[rule]}${whom === '' ? '' : `: ${whom}`}`
    }
    case 'migration': {
      const { pid, command, from, to, state, step, outcome } = change
      return `PID ${pid} (${plain(command, 40)}) from ${from} to ${to}: ${outcome ?? step ?? state}`
    }
    case 'job':
    default:
      return `job ${change.id} (${plain(change.title, 60)}) on ${change.node}: ${change.state}`
  }
}

function machineText(node: Extract<WatchLine, { event: 'machine' }>['node']): string {
  if (node.outcome !== 'ok') return `${node.name}: ${node.outcome}: ${node.reason}`
  const { name, trit, ratio, receiver } = node
  const marks = [
    receiver?.closed === undefined ? '' : `, closed: ${receiver.closed}`,
    receiver?.reserved ? ', reserved' : '',
  ].join('')
  return `${name}: ${signed(trit)} ${TRIT_NAMES[trit]}, ratio ${ratio.toFixed(2)}${marks}`
}
