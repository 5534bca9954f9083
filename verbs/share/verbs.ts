import { verb } from '../verb.ts'
import { CronUnits } from '../watch/schemas.ts'
import { Peers, Receive, ReceiveEvent, ShareToIdle } from './schemas.ts'

const SENDS = { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true }

export const sharing = [
  verb({
    name: 'share_to_idle',
    recipe: 'share-to-idle',
    title: 'Send files to the idlest machine',
    description: 'Sends files and folders to the machine with the most room, or to target.',
    effect: SENDS,
    ...ShareToIdle,
    load: async () => (await import('./share-to-idle.ts')).shareToIdle,
  }),
  verb({
    name: 'peers',
    recipe: 'peers',
    title: 'Machines with LocalSend',
    description: 'The machines of the tailnet where LocalSend answers now.',
    effect: { readOnlyHint: true, idempotentHint: true, openWorldHint: true },
    ...Peers,
    load: async () => (await import('./peers.ts')).peers,
  }),
  verb({
    name: 'receive',
    recipe: 'receive',
    title: 'Take files from LocalSend',
    description: 'Takes files until its time is over.',
    effect: SENDS,
    ...Receive,
    lines: ReceiveEvent,
    load: async () => (await import('./receive.ts')).receive,
  }),
  verb({
    name: 'receive_units',
    recipe: 'receive --systemd',
    title: 'A systemd service that takes files',
    description: 'A systemd user service that does the same as receive; nothing is installed.',
    effect: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    input: Receive.input,
    result: CronUnits.result,
    load: async () => (await import('./receive.ts')).receiveUnits,
  }),
]
