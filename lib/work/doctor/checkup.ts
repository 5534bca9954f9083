import type { Limits } from '../../base/command.ts'
import type { Host, Reach } from '../../mesh/remote/host.ts'
import { tell } from '../../mesh/remote/run.ts'
import { BadFacts, numberIn, Sections } from '../migrate/facts/records.ts'
import { shellText } from '../../base/shell-text.ts'
import { lastLine, plain } from '../../base/text.ts'

/** What a machine says of itself. Sizes are bytes; what it could not tell is absent. */
export type Checkup = {
  os: string
  arch: string
  kernel: string
  user: string
  root: boolean
  /** Programs that are not there. */
  missing: string[]
  /** GNU's find is there, not another. */
  gnu: boolean
  /** The kernel tells of children and of mapped files, as CONFIG_PROC_CHILDREN and CONFIG_CHECKPOINT_RESTORE make it. */
  children: boolean
  mappings: boolean
  diskBytes?: number
  writable: boolean
  memoryBytes?: number
  criu?: { version: string; ok: boolean; line: string }
  tailscale: boolean
}

/** A machine's own words, or why there are none. */
export type Examined = { reached: true; checkup: Checkup } | { reached: false; reason: string }

/** Asks a machine what it has, in one round trip that changes nothing. @throws the signal's reason */
export async function examine(host: Host, reach: Reach, limits: Limits): Promise<Examined> {
  const body = shellText(import.meta.dirname, 'doctor.sh')
  const said = await tell(host, { body, as: 'root-if-possible' }, reach, limits)
  if (!said.known) return { reached: false, reason: said.reason }
  try {
    return { reached: true, checkup: parseCheckup(said.output) }
  } catch (error) {
    if (!(error instanceof BadFacts)) throw error
    return { reached: false, reason: `${error.message}; ${lastLine(said.stderr, 80) ?? 'it says no more'}` }
  }
}

/** @throws BadFacts when it is not what doctor.sh prints */
export function parseCheckup(output: string): Checkup {
  const sections = new Sections(output)
  const text = (name: string) => plain(sections.items(name)[0] ?? '', 60)
  const bytes = (name: string) => (sections.items(name).length === 0 ? undefined : sections.number(name))
  const [user = '', uid] = sections.items('user')
  const [diskBytes, memoryBytes] = [bytes('disk'), bytes('memory')]
  return {
    os: text('os'),
    arch: text('arch'),
    kernel: text('kernel'),
    user: plain(user, 40),
    root: numberIn('a uid', uid) === 0,
    missing: sections.items('missing').map((name) => plain(name, 20)),
    gnu: !sections.has('foreign'),
    children: sections.has('children'),
    mappings: sections.has('mappings'),
    ...(diskBytes === undefined ? {} : { diskBytes }),
    writable: sections.has('writable'),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(sections.has('criu') ? { criu: criuOf(sections) } : {}),
    tailscale: sections.has('tailscale'),
  }
}

function criuOf(sections: Sections): NonNullable<Checkup['criu']> {
  const [status, line = ''] = sections.items('check')
  const version = plain(sections.items('criu')[0] ?? 'unknown', 40)
  return { version, ok: numberIn('a status', status) === 0, line: plain(line, 160) }
}
