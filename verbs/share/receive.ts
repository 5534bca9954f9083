import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { InputError } from '../../lib/base/errors.ts'
import { standalone } from '../../lib/base/own-program.ts'
import { ownHome, stateDir } from '../../lib/base/state-dir.ts'
import { plain, quoted } from '../../lib/base/text.ts'
import { ownIdentity } from '../../lib/share/localsend/identity.ts'
import { isOwn, parseNetwork } from '../../lib/share/localsend/receiver/addresses.ts'
import type { ReceiverEvent } from '../../lib/share/localsend/receiver/events.ts'
import { startReceiver } from '../../lib/share/localsend/receiver/receiver.ts'
import { receiveUnit, UNIT_NAME } from '../../lib/share/receive-unit.ts'
import { PORT_NUMBER } from '../bounds.ts'
import type { Deps } from '../verb.ts'
import type { CronUnitsResult } from '../watch/schemas.ts'
import { ownAddresses } from './own-addresses.ts'
import type { ReceiveInput, ReceiveResult } from './schemas.ts'

const USUAL_FOLDER = '~/Downloads/resource-sharing'

/**
 * Takes files from LocalSend until it is told to end, its time is over, or with `once` the first sender is done.
 *
 * @param tell told of each thing that happens
 * @throws InputError, Failure; the signal's reason
 */
export async function receive(
  input: ReceiveInput,
  deps: Deps,
  tell: (event: ReceiverEvent) => void = () => {},
): Promise<ReceiveResult> {
  const wanted = receiverOf(input)
  const listen = await listenOn(input, deps)
  const done = new AbortController()
  const counts = { sessions: 0, stored: 0, missing: 0 }
  const heard = (event: ReceiverEvent) => {
    tell(event)
    if (event.event !== 'over') return
    counts.sessions += 1
    counts.stored += event.stored
    counts.missing += event.missing
    if (input.once) done.abort()
  }
  const identity = await ownIdentity(await stateDir())
  const receiver = await startReceiver({ ...wanted, listen, identity, tell: heard })
  deps.hint(`receiving into ${plain(wanted.folder)} on ${listen.join(' and ')}, port ${receiver.port}`)
  const timer = input.seconds === undefined ? undefined : setTimeout(() => done.abort(), input.seconds * 1000)
  const end = AbortSignal.any([deps.signal, done.signal])
  await new Promise((ended) => (end.aborted ? ended(end) : end.addEventListener('abort', ended)))
  clearTimeout(timer)
  await receiver.close()
  deps.signal.throwIfAborted()
  return counts
}

/** A systemd user service that does the same; nothing is installed. @throws InputError */
export async function receiveUnits(input: ReceiveInput): Promise<CronUnitsResult> {
  return { units: [{ name: UNIT_NAME, text: receiveUnit(argvOf(input)) }] }
}

/** What the input says of the receiver. @throws InputError */
function receiverOf(input: ReceiveInput) {
  const { pin, dir = USUAL_FOLDER } = input
  const allow = (input.allow ?? []).map((text) => parseNetwork(text, '--allow'))
  if (pin !== undefined && (pin === '' || pin.length > 64))
    throw new InputError('pin', 'takes 1 to 64 characters')
  const foreign = allow.findIndex((network) => !isOwn(network))
  if (foreign !== -1 && pin === undefined)
    throw new InputError(
      'allow',
      `${quoted(input.allow?.[foreign] ?? '')} is beyond this tailnet: say --pin too, so that not everybody there can send`,
    )
  if (dir === '') throw new InputError('dir', 'takes a folder')
  return {
    folder: resolve(dir.replace(/^~(?=\/|$)/, () => ownHome())),
    port: input.port ?? PORT_NUMBER.usual,
    allow,
    insecureHttp: input.insecureHttp ?? false,
    ...(pin === undefined ? {} : { pin }),
  }
}

/** Addresses to listen on: those that the person names, else the tailnet's and the loopback. */
async function listenOn({ listen }: ReceiveInput, deps: Deps): Promise<string[]> {
  const wrong = listen?.find((address) => isIP(address) === 0)
  if (wrong !== undefined)
    throw new InputError('listen', `takes an address of this machine, not ${quoted(wrong)}`)
  if (listen) return [...new Set(listen)]
  return await ownAddresses(deps)
}

/** The command that a service runs, with the same flags and absolute paths. */
function argvOf(input: ReceiveInput): string[] {
  const { folder, port, pin, insecureHttp } = receiverOf(input)
  const args = [
    `--dir=${folder}`,
    `--port=${port}`,
    ...(pin === undefined ? [] : [`--pin=${pin}`]),
    ...(input.allow ?? []).map((network) => `--allow=${network}`),
    ...(input.listen ?? []).map((address) => `--listen=${address}`),
    ...(insecureHttp ? ['--insecure-http'] : []),
  ]
  // As in the justfile: what moves large files collects its garbage early.
  return standalone('receive', args, ['--max-semi-space-size=1'])
}
