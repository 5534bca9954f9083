import type { Limits } from '../../base/command.ts'
import type { Host, Reach } from '../../mesh/remote/host.ts'
import { mustTell } from '../../mesh/remote/run.ts'
import { plain } from '../../base/text.ts'
import { MARKS } from '../../machine/reservations/script.ts'

/**
 * Closes a machine to arrivals, until it is opened.
 *
 * @returns whether for everybody, or only for what this user sends there
 * @throws Failure
 */
export async function close(
  host: Host,
  why: string,
  reach: Reach,
  limits: Limits,
): Promise<'everybody' | 'user'> {
  return await mark(host, 'rs_close "$REASON"', { REASON: plain(why) }, reach, limits)
}

/** Opens it again. @throws Failure, also when root has closed it and this user can't be root */
export async function open(host: Host, reach: Reach, limits: Limits): Promise<'everybody' | 'user'> {
  return await mark(host, 'rs_open', {}, reach, limits)
}

async function mark(
  host: Host,
  call: string,
  values: Record<string, string>,
  reach: Reach,
  limits: Limits,
): Promise<'everybody' | 'user'> {
  const body = `${MARKS}\n${call} && printf 'in %s\\n' "$rs_dir"`
  const what = call === 'rs_open' ? 'opening it' : 'closing it'
  const output = await mustTell(host, { body, values, as: 'root-if-possible' }, reach, limits, what)
  return output.includes('in /var/lib/') ? 'everybody' : 'user'
}
