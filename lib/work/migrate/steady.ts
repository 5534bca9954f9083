import type { Limits } from '../../base/command.ts'
import type { Host, Reach } from '../../mesh/remote/host.ts'
import type { SourceFacts } from './facts/facts.ts'
import { gatherSource } from './facts/gather.ts'
import { refusals } from './preflight.ts'
import { needsOf } from './preflight/needs.ts'
import type { Gathered } from './facts/refusal.ts'

/** After so many looks a tree that has changed during each of them is judged as it was at the last one. */
const MOST_LOOKS = 8

/**
 * What there is to know of a process whose children may come and go, from as many looks as it takes. Nothing is changed
 * there.
 *
 * @param limits of each look; when the time of one has passed, no other is begun
 * @throws the signal's reason
 */
export async function steadySource(
  host: Host,
  pid: number,
  reach: Reach,
  limits: Limits,
): Promise<Gathered<SourceFacts>> {
  const until = performance.now() + limits.timeoutMs
  return await lookUntilSteady(
    () => gatherSource(host, pid, reach, limits),
    () => performance.now() < until,
  )
}

/** Looks until nothing began or ended during a look, or until two looks that follow each other say the same. */
export async function lookUntilSteady(
  look: () => Promise<Gathered<SourceFacts>>,
  hasTime: () => boolean,
): Promise<Gathered<SourceFacts>> {
  let before: string | undefined
  for (let looks = 1; ; looks += 1) {
    const gathered = await look()
    const verdict = verdictOf(gathered)
    if (isSettled(gathered) || verdict === before || looks === MOST_LOOKS || !hasTime()) return gathered
    before = verdict
  }
}

/** Whether a look can be trusted. When a process ends while it is read, what comes back may be half an answer. */
function isSettled(gathered: Gathered<SourceFacts>): boolean {
  if (!gathered.known) return gathered.refusal.code !== 'bad-answer'
  return !gathered.facts.changing && unread(gathered.facts).length === 0
}

/** Files that were open and could not be read any more; those of a process that must not be touched are not read at all. */
function unread(facts: SourceFacts): string[] {
  if (Object.keys(facts.files).length === 0) return []
  const files = needsOf(facts).filter(({ kind, path }) => kind === 'file' && !facts.files[path]?.sha256)
  return files.map(({ path }) => path)
}

function verdictOf(gathered: Gathered<SourceFacts>): string {
  if (!gathered.known) return JSON.stringify(gathered.refusal)
  const { facts } = gathered
  return JSON.stringify([refusals(facts, undefined, { copyFiles: false, force: true }), unread(facts)])
}
