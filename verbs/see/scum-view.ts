import { Failure, InputError } from '../../lib/base/errors.ts'
import { measureHere } from '../../lib/machine/measure-here.ts'
import { ONLY_OWN } from '../../lib/machine/processes.ts'
import type { Report } from '../../lib/mesh/node.ts'
import { thisMachine } from '../../lib/mesh/this-machine.ts'
import { suspects } from '../../lib/model/suspects.ts'
import { tritOf } from '../../lib/model/trit.ts'
import { CANDIDATES, SUSPECTS, WINDOW_MS } from '../bounds.ts'
import { timeoutMsOf } from '../timeout.ts'
import type { Deps } from '../verb.ts'
import type { ScumViewInput, ScumViewResult } from './schemas.ts'

/**
 * Which processes are to blame for the load, of this machine, of another, or of all.
 *
 * @throws Failure when the one machine that was asked gave no measurement
 */
export async function scumView(input: ScumViewInput, deps: Deps): Promise<ScumViewResult> {
  if (input.mesh && input.host !== undefined) throw new InputError('mesh', 'and --host exclude each other')
  const reports = await ask(input, deps)
  const nodes = reports.flatMap((report): ScumViewResult['nodes'] => {
    if (report.outcome !== 'ok') return []
    const trit = tritOf(report.measurement.load1, report.measurement.cpus)
    const processes = suspects(report.processes ?? [], trit, input.count ?? SUSPECTS.usual)
    const { name } = report.node
    if (report.onlyOwnProcesses) deps.warn(`${name}: ${ONLY_OWN}`)
    return [{ name, trit, ...(report.onlyOwnProcesses ? { onlyOwnProcesses: true } : {}), processes }]
  })
  const unmeasured = reports.flatMap((report) =>
    report.outcome === 'ok'
      ? []
      : [{ name: report.node.name, outcome: report.outcome, reason: report.reason }],
  )
  for (const { name, outcome, reason } of unmeasured) {
    const line = `${name}: ${outcome}: ${reason}`
    if (!input.mesh) throw new Failure(line)
    deps.hint(line)
  }
  return { nodes, ...(unmeasured.length > 0 ? { unmeasured } : {}) }
}

/** This machine alone unless others are asked for: then nothing of the mesh is looked at or loaded. */
async function ask(input: ScumViewInput, deps: Deps): Promise<Report[]> {
  const { host, mesh, windowMs = WINDOW_MS.usual } = input
  if (host !== undefined || mesh) {
    const { askMesh } = await import('./mesh.ts')
    return await askMesh(input, deps, {
      windowMs,
      extremes: { fullest: CANDIDATES },
      inPerson: true,
      ...(host === undefined ? {} : { host }),
    })
  }
  const timeoutMs = timeoutMsOf(input, 10 + windowMs / 1000)
  const answer = await measureHere({ windowMs }, { timeoutMs, signal: deps.signal })
  return [{ node: thisMachine(), outcome: 'ok', ...answer, ageMs: 0 }]
}
