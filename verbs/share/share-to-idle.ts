import { InputError, NoSuitableNode } from '../../lib/base/errors.ts'
import { plain, quoted } from '../../lib/base/text.ts'
import { connectMsBeforeWork } from '../../lib/mesh/connect-time.ts'
import type { MeshNode } from '../../lib/mesh/node.ts'
import { nodeStates, openReceivers } from '../../lib/mesh/snapshot.ts'
import { firstThatTakes } from '../../lib/share/attempts.ts'
import { DEFAULT_DEST } from '../../lib/share/ssh-copy.ts'
import { transferText } from '../../lib/share/transfer-text.ts'
import { walk } from '../../lib/share/walk.ts'
import { ACCEPT_WAIT_SECONDS, CANDIDATES, PORT_NUMBER } from '../bounds.ts'
import { askMesh, nodesOf, otherNodeOf } from '../see/mesh.ts'
import { timeoutMsOf } from '../timeout.ts'
import type { Deps } from '../verb.ts'
import { offering, type SendingWay } from './offer.ts'
import type { ShareToIdleInput, ShareToIdleResult } from './schemas.ts'

/** A transfer that took less time tells nothing of its speed. */
const LEAST_SECONDS = 0.1

/**
 * Sends files to the machine that is named, else to the idle one with the most room that takes them.
 *
 * @throws UsageError, NoSuitableNode; PeerFailure where a person has to decide, or the one that is named does not take it
 */
export async function shareToIdle(input: ShareToIdleInput, deps: Deps): Promise<ShareToIdleResult> {
  const way = wayOf(input, deps.signal)
  const parcel = await walk(input.paths)
  const [first, ...others] = await candidates(input, deps)
  if (first === undefined) throw new NoSuitableNode('No idle peers available')

  const progress = await deps.progress('sending')
  const of = parcel.files.reduce((sum, { size }) => sum + size, 0)
  let [bytes, began] = [0, performance.now()]
  const moved = (more: number) => {
    if (bytes === 0) began = performance.now()
    bytes += more
    const seconds = (performance.now() - began) / 1000
    progress.update(transferText({ bytes, of, seconds }), of > 0 ? bytes / of : undefined)
  }
  const doing = (what: string) => progress.update(plain(what))
  const outcome = await firstThatTakes(
    [first, ...others],
    offering(parcel, { ...way, moved, doing }),
    ({ reason }, next) => deps.warn(`${plain(reason, 300)}; trying ${next.name}`),
  ).finally(() => progress.stop())
  if ('last' in outcome) {
    if (input.target !== undefined) throw outcome.last
    throw new NoSuitableNode(`${outcome.last.message}; no other idle peer is left`)
  }

  const { node, result, tried } = outcome
  const seconds = (performance.now() - began) / 1000
  const told = seconds > LEAST_SECONDS && bytes > 0
  return {
    target: node.name,
    address: node.address,
    ...result,
    bytes: result.files.reduce((sum, file) => sum + file.bytes, 0),
    seconds,
    ...(told ? { bytesPerSecond: bytes / seconds } : {}),
    leftOut: result.via === 'localsend' ? parcel.leftOut : [],
    tried,
  }
}

function wayOf(input: ShareToIdleInput, signal: AbortSignal): Omit<SendingWay, 'moved' | 'doing'> {
  const { dest = DEFAULT_DEST, pin } = input
  if (dest === '' || /[\n\r\0]/.test(dest))
    throw new InputError('dest', `takes a folder, not ${quoted(dest)}`)
  return {
    via: input.via ?? 'localsend',
    dest,
    port: input.port ?? PORT_NUMBER.usual,
    waitMs: (input.waitSeconds ?? ACCEPT_WAIT_SECONDS.usual) * 1000,
    connectMs: connectMsBeforeWork(timeoutMsOf(input)),
    trustNew: input.trustNew ?? false,
    insecureHttp: input.insecureHttp ?? false,
    ...(pin === undefined ? {} : { pin }),
    signal,
  }
}

/** The node that is named, else the idle ones that are not closed, the one with the most room first. */
async function candidates(input: ShareToIdleInput, deps: Deps): Promise<MeshNode[]> {
  const { target } = input
  if (target === undefined) {
    const reports = await askMesh(input, deps, { extremes: { emptiest: CANDIDATES }, inPerson: true })
    const idle = openReceivers(nodeStates(reports))
    return idle.flatMap(({ name }) => reports.find(({ node }) => node.name === name)?.node ?? [])
  }
  const node = otherNodeOf(await nodesOf(input, deps), target, 'target')
  if (node.address === '') throw new InputError('target', `${quoted(target)} has no address`)
  return [node]
}
