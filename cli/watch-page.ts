import { Refused, UsageError } from '../lib/base/errors.ts'
import { plain, quoted } from '../lib/base/text.ts'
import { runs } from '../lib/show/page/machine-content.ts'
import { meshSite } from '../lib/show/page/site.ts'
import { silently, type Deps } from '../verbs/verb.ts'
import { act, type Order } from '../verbs/watch/act.ts'
import type { WatchInput } from '../verbs/watch/schemas.ts'
import { UnderWayReader, type UnderWay } from '../verbs/watch/under-way.ts'
import { eachTime, watchMesh } from '../verbs/watch/watch.ts'
import { Deeds } from '../verbs/web/deeds.ts'
import { planServing, serveSite } from '../verbs/web/serve.ts'

/** How often what is under way is read. */
const UNDER_WAY_MS = 2000

/**
 * Serves the mesh as a page until the signal is aborted.
 *
 * @param operands where: at most one
 * @param tell told of where the page can be opened
 * @throws UsageError, Failure; the signal's reason
 */
export async function servePage(
  input: WatchInput,
  operands: readonly string[],
  { tokenFile, allowed }: { tokenFile: string | undefined; allowed: readonly Order['deed'][] },
  deps: Deps,
  tell: (url: string) => void,
): Promise<never> {
  const [serve, another] = operands
  if (another !== undefined) throw new UsageError(`--serve takes one address, not ${quoted(another)} too`)
  const plan = await planServing({ serve, tokenFile }, deps)
  if (allowed.length > 0 && plan.rules.token === undefined)
    throw new UsageError('--allow needs --token-file FILE: who acts from the page has to say what is in it')
  // Whatever of these ends first ends the others.
  const over = new AbortController()
  const signal = AbortSignal.any([deps.signal, over.signal])
  const observer = await watchMesh(input, { ...deps, signal })
  const reader = new UnderWayReader()
  let underWay: UnderWay = { migrations: [], jobs: [] }
  const deeds = new Deeds(
    new Set(allowed),
    async (order) => await act(order, input, answering(order, signal)),
    ({ host, pid, command }) => runs(observer.machines.get(host), pid, command),
  )
  const site = await meshSite(observer, () => underWay, allowed.length > 0 ? deeds : undefined)
  const parts = [
    serveSite(site, plan, { signal }, (urls) => urls.forEach(tell)),
    observer.ended,
    eachTime(UNDER_WAY_MS, signal, async () => {
      underWay = await reader.read()
    }),
  ]
  const [first] = await Promise.allSettled([Promise.race(parts).finally(() => over.abort()), ...parts])
  // What was begun is ended by the signal as it would be by Ctrl-C.
  await deeds.settled()
  deps.signal.throwIfAborted()
  throw first.status === 'rejected' ? first.reason : new Error('nobody ended it')
}

/** The person was asked in the page about a process of this name: what is asked now has to be about it too. */
function answering({ pid, command }: Order, signal: AbortSignal): Deps {
  return {
    ...silently(signal),
    confirm: async (question) => {
      if (!question.includes(`(${plain(command, 40)})`))
        throw new Refused(`PID ${pid} is another process now`)
    },
  }
}
