import type { Limits } from '../../../base/command.ts'
import type { Host, Reach } from '../../../mesh/remote/host.ts'
import { tell, type Task } from '../../../mesh/remote/run.ts'
import { NO_ROOT, octal } from '../../../mesh/remote/script.ts'
import { shellText } from '../../../base/shell-text.ts'
import { lastLine } from '../../../base/text.ts'
import type { Gathered, Refusal } from './refusal.ts'
import type { SourceFacts, TargetFacts, Wanted } from './facts.ts'
import { BadFacts } from './records.ts'
import { parseSource } from './source-answer.ts'
import { parseTarget } from './target-answer.ts'

/** With what the scripts end instead of an answer, as sysexits(3) numbers them. */
const NO_PROCESS = 66
const LACKS = 72
const NO_FOLDER = 73
const NOT_LINUX = 78

/**
 * What there is to know of a process, its tree and its machine, in one round trip that changes nothing there.
 *
 * @throws the signal's reason
 */
export async function gatherSource(
  host: Host,
  pid: number,
  reach: Reach,
  limits: Limits,
): Promise<Gathered<SourceFacts>> {
  const task: Task = { body: script('source.sh'), values: { PID: String(pid) }, as: 'root-if-possible' }
  const gathered = await gather('source', host, task, reach, limits, (output) =>
    parseSource(output, host.name, pid),
  )
  if (!gathered.known || host.ssh) return gathered
  return { known: true, facts: { ...gathered.facts, uid: process.getuid?.() ?? 0 } }
}

/**
 * What a machine has of what a process needs, in one round trip that changes nothing there.
 *
 * @throws the signal's reason
 */
export async function gatherTarget(
  host: Host,
  wanted: Wanted,
  reach: Reach,
  limits: Limits,
): Promise<Gathered<TargetFacts>> {
  const task: Task = {
    body: script('target.sh'),
    values: {
      NUMBERS: wanted.numbers.join(' '),
      USERS: wanted.users.map(({ uid, name = '' }) => `${uid} ${name}`).join('\n'),
      CPU: wanted.cpuinfo,
      PORTS: wanted.ports.join(' '),
    },
    as: 'root-if-possible',
    input: wanted.paths.map((path) => `${octal(path)}\n`).join(''),
  }
  return await gather('target', host, task, reach, limits, (output) => parseTarget(output, host.name))
}

async function gather<Facts>(
  at: Refusal['at'],
  host: Host,
  task: Task,
  reach: Reach,
  limits: Limits,
  parse: (output: string) => Facts,
): Promise<Gathered<Facts>> {
  const refused = (code: string, what: string, advice?: string): Gathered<Facts> => ({
    known: false,
    refusal: { code, sentence: `${host.name}: ${what}`, at, ...(advice === undefined ? {} : { advice }) },
  })
  const said = await tell(host, task, reach, limits)
  if (!said.known) return refused('unreachable', said.reason)
  if (said.status === NO_ROOT)
    return refused(
      'no-root',
      'this needs root, or a sudo that asks no password',
      'see `sudo -n true` there: a line `NAME ALL=(ALL) NOPASSWD: ALL` of sudoers(5) makes it work',
    )
  if (said.status === NOT_LINUX) return refused('not-linux', 'processes move between Linux machines only')
  if (said.status === LACKS) {
    const names = /^lacks ([a-z0-9/ ]{1,200})$/m.exec(said.output)?.[1] ?? 'what this is done with'
    return refused('programs', `it lacks ${names.replaceAll(' ', ', ')}`, 'see `just doctor` of that machine')
  }
  if (said.status === NO_PROCESS) return refused('no-process', 'there is no process with this PID')
  if (said.status === NO_FOLDER) return refused('disk', 'it has no room for a temporary folder')
  try {
    return { known: true, facts: parse(said.output) }
  } catch (error) {
    if (!(error instanceof BadFacts)) throw error
    const line = lastLine(said.stderr, 80)
    return refused('bad-answer', `${error.message}${line === undefined ? '' : ` (${line})`}`)
  }
}

function script(own: 'source.sh' | 'target.sh'): string {
  return shellText(import.meta.dirname, 'machine.sh', '../machine/attributes.sh', own)
}
