import { z } from 'zod'
import { run, type Limits } from '../base/command.ts'
import { plain } from '../base/text.ts'
import { findTailscale } from './tailscale.ts'

/** Who a machine of the tailnet belongs to, as tailscale vouches for it. */
export type Owner = {
  /** What the coordination server calls the machine. */
  machine: string
  userId: number
  /** For people: an address mostly. */
  login: string
  /** A machine with tags belongs to no user, whatever user its record names. */
  tagged: boolean
}

const WhoIs = z.object({
  Node: z.object({
    ComputedName: z.string().catch(''),
    User: z.number(),
    Tags: z.array(z.string()).nullish(),
  }),
  UserProfile: z.object({ LoginName: z.string().catch('') }).nullish(),
})

/**
 * Who has an address of the tailnet, this machine's own too: `tailscale whois` asks its daemon, which knows by which key
 * the address is bound.
 *
 * @returns undefined where tailscale knows nobody by it, or can't tell
 * @throws the signal's reason
 */
export async function whoIs(address: string, limits: Limits): Promise<Owner | undefined> {
  const file = await findTailscale()
  if (file === undefined) return undefined
  const args = ['whois', '--json', address]
  const { stdout, exitCode } = await run({ file, args, env: { TAILSCALE_BE_CLI: '1' } }, limits)
  return exitCode === 0 ? parseWhoIs(stdout) : undefined
}

/** @returns undefined when it is something else than what `tailscale whois --json` prints */
export function parseWhoIs(output: string): Owner | undefined {
  let document: unknown
  try {
    document = JSON.parse(output)
  } catch {
    return undefined
  }
  const { data } = WhoIs.safeParse(document)
  if (data === undefined) return undefined
  const { ComputedName, User, Tags } = data.Node
  return {
    machine: plain(ComputedName, 63),
    userId: User,
    login: plain(data.UserProfile?.LoginName ?? '', 100),
    tagged: (Tags ?? []).length > 0,
  }
}

/** Whether two machines belong to the same person. */
export function sameOwner(one: Owner, other: Owner): boolean {
  return !one.tagged && !other.tagged && one.userId > 0 && one.userId === other.userId
}
