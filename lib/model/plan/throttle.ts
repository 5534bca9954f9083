import { plain } from '../../base/text.ts'
import { THROTTLED_PERCENT } from '../policy.ts'
import { candidates, leftAlone } from './candidates.ts'
import { change, type Forecast } from './forecast.ts'
import type { PlanAction } from './snapshot.ts'

/** Holds back the processes of ERGODIC nodes for which the decision matrix says so. Changes the forecasts by that. */
export function throttling(nodes: readonly Forecast[]): PlanAction[] {
  const ergodic = nodes.filter(({ trit }) => trit === 0)
  return candidates(ergodic, 'throttle').flatMap(({ from, process, score, cpu }): PlanAction[] => {
    if (leftAlone(process) !== undefined) return []
    change(from, Math.min(0, THROTTLED_PERCENT / 100 - cpu))
    const reason = `${plain(process.command, 40)} scores ${score.toFixed(2)} on an ERGODIC node, and the mesh is full`
    return [{ kind: 'throttle', node: from.name, pid: process.pid, cpu, reason }]
  })
}
