import pLimit from 'p-limit'
import type { Owner } from '../../lib/mesh/whois.ts'

const KEPT_MS = 60_000
/** Who is not known now may be soon; until then, whoever asks again and again starts no program each time. */
const UNKNOWN_KEPT_MS = 3000
const MOST_KEPT = 1000
const AT_ONCE = 4

/** Asks for the owner of each address once a minute at most, and for few at the same time. */
export function remembering(
  whoIs: (address: string) => Promise<Owner | undefined>,
  now: () => number = () => performance.now(),
): (address: string) => Promise<Owner | undefined> {
  const known = new Map<string, { owner: Promise<Owner | undefined>; until: number }>()
  const limit = pLimit(AT_ONCE)
  return async (address) => {
    const kept = known.get(address)
    if (kept && kept.until > now()) return await kept.owner
    known.delete(address)
    const [oldest] = known.keys()
    if (known.size >= MOST_KEPT && oldest !== undefined) known.delete(oldest)
    const entry = { owner: limit(() => whoIs(address)), until: Number.POSITIVE_INFINITY }
    known.set(address, entry)
    const owner = await entry.owner
    entry.until = now() + (owner === undefined ? UNKNOWN_KEPT_MS : KEPT_MS)
    return owner
  }
}
