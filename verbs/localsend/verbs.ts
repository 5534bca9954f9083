import { verb } from '../verb.ts'
import { Advertise, ListPeers, Negotiate, Probe, Receive, Send, SessionStatus } from './schemas.ts'

const READS = { readOnlyHint: true, idempotentHint: true, openWorldHint: true }
const ACTS = { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true }
const SETS = { ...ACTS, idempotentHint: true }

/** What agents exchange files by, as the draft of localsend-mcp names it. */
export const localsending = [
  verb({
    name: 'localsend_advertise',
    title: 'Listen for LocalSend peers',
    description:
      'Listens on the tailnet until this server ends. Offers wait a minute for localsend_receive, then are declined.',
    effect: SETS,
    ...Advertise,
    load: async () => (await import('./advertise.ts')).advertise,
  }),
  verb({
    name: 'localsend_list_peers',
    title: 'List LocalSend peers',
    description: 'Where LocalSend answers: in the tailnet, or on the local network (takes 3 s).',
    effect: READS,
    ...ListPeers,
    load: async () => (await import('./list-peers.ts')).listPeers,
  }),
  verb({
    name: 'localsend_negotiate',
    title: 'Open a session with a peer',
    description: 'Asks a peer and checks its certificate. The session is for the other tools.',
    effect: ACTS,
    ...Negotiate,
    load: async () => (await import('./negotiate.ts')).negotiate,
  }),
  verb({
    name: 'localsend_send',
    title: 'Send a file or folder',
    description: "Sends to the session's peer, who has a minute to accept.",
    effect: ACTS,
    ...Send,
    load: async () => (await import('./send.ts')).send,
  }),
  verb({
    name: 'localsend_receive',
    title: 'Accept or decline files',
    description:
      'Decides on offers, those that wait and later ones. localsend_session_status tells what came.',
    effect: SETS,
    ...Receive,
    load: async () => (await import('./receive.ts')).receive,
  }),
  verb({
    name: 'localsend_probe',
    title: 'Measure and tune a session',
    description:
      'Measures the way to the peer, leaving no file there. Of foreign software only the round trip.',
    effect: ACTS,
    ...Probe,
    load: async () => (await import('./probe.ts')).probeSession,
  }),
  verb({
    name: 'localsend_session_status',
    title: 'State of a session',
    description:
      'Bytes, throughput, how far it is from the best measured, files that came, offers that wait.',
    effect: { ...READS, openWorldHint: false },
    ...SessionStatus,
    load: async () => (await import('./session-status.ts')).sessionStatus,
  }),
]

/** Ends the receiver, the sessions and what is under way in them: for the end of the server. */
export async function closeAll(): Promise<void> {
  await (await import('./advertised.ts')).closeAll()
}
