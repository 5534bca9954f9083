import { connectMsBeforeAnswer } from '../../lib/mesh/connect-time.ts'
import { Connections } from '../../lib/mesh/connections.ts'
import { hostOf } from '../../lib/mesh/remote/host.ts'
import { thisMachine } from '../../lib/mesh/this-machine.ts'
import { examine } from '../../lib/work/doctor/checkup.ts'
import { ownFindings } from '../../lib/work/doctor/coordinator.ts'
import { findingsOf } from '../../lib/work/doctor/findings.ts'
import { USUAL_SECONDS } from '../bounds.ts'
import type { Deps } from '../verb.ts'
import { nodeOf, nodesOf } from './mesh.ts'
import { timeoutMsOf } from '../timeout.ts'
import type { DoctorInput, DoctorResult } from './schemas.ts'

/** What a machine lacks for processes to be moved from it or to it; changes nothing. @throws UsageError, Failure */
export async function doctor(input: DoctorInput, deps: Deps): Promise<DoctorResult> {
  const { host } = input
  const node = host === undefined ? thisMachine() : nodeOf(await nodesOf(input, deps), host)
  const limits = { timeoutMs: timeoutMsOf(input, USUAL_SECONDS.doctor), signal: deps.signal }
  const half = { ...limits, timeoutMs: limits.timeoutMs / 2 }
  const progress = await deps.progress(`looking at ${node.name}`)
  const look = async () => {
    if (node.left) return { reached: false as const, reason: node.left.reason }
    const connectMs = connectMsBeforeAnswer(limits.timeoutMs)
    const reach = { connections: await Connections.open(), connectMs }
    return await examine(hostOf(node), reach, limits)
  }
  const [own, examined] = await Promise.all([ownFindings(half), look()]).finally(() => progress.stop())
  const findings = [
    ...own.map((each) => ({ host: thisMachine().name, ...each })),
    ...findingsOf(examined).map((each) => ({ host: node.name, ...each })),
  ]
  return { fine: findings.every(({ state }) => state !== 'missing'), findings }
}
