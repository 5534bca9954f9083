import { z } from 'zod'
import { PORT_NUMBER } from '../bounds.ts'
import { CHUNK_BYTES, STREAMS, USUAL_GAP_TARGET } from './tuning.ts'

const KIB = 1024
/** What one session, probe or send may take. */
const MOST_STREAMS = 16
const MOST_CHUNK_BYTES = 8 * KIB * KIB
export const PROBE_BYTES = { least: 64 * KIB, most: 256 * KIB * KIB, usual: 8 * KIB * KIB } as const

const session_id = z.string().max(64)
const transports = ['tailscale', 'localsend_multicast', 'nats'] as const
const chunkBytes = z.int().min(CHUNK_BYTES.least).max(MOST_CHUNK_BYTES)
const streams = z.int().min(STREAMS.least).max(MOST_STREAMS)
const bps = z.number().describe('bits per second')

export const Advertise = {
  input: z.strictObject({
    agent_id: z.string().min(1).max(64),
    device_name: z.string().min(1).max(63).describe('what peers see'),
    localsend_port: z
      .int()
      .min(0)
      .max(PORT_NUMBER.most)
      .optional()
      .describe(`${PORT_NUMBER.usual}; 0: a free one`),
    tailscale_ip: z.string().max(64).optional().describe("instead of this machine's tailnet address"),
    capabilities: z.array(z.string().max(64)).max(32).optional().describe('told to peers with agent_id'),
    spectral_gap_target: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe(`a session is done at this gap (${USUAL_GAP_TARGET})`),
  }),
  result: z.strictObject({
    session_id: z.string().describe('for localsend_receive from anybody of the tailnet'),
    listening: z.array(z.string()).describe('addresses'),
    port: z.int(),
    fingerprint: z.string(),
  }),
}
export type AdvertiseInput = z.output<typeof Advertise.input>
export type AdvertiseResult = z.output<typeof Advertise.result>

export const ListPeers = {
  input: z.strictObject({
    source: z.enum(['localsend_multicast', 'nats', 'tailscale']),
  }),
  result: z.strictObject({
    peers: z.array(
      z.strictObject({
        peer_id: z.string().describe('for localsend_negotiate'),
        device_name: z.string(),
        address: z.string(),
        port: z.int(),
        protocol: z.enum(['https', 'http']),
        version: z.string(),
        agent_id: z.string().exactOptional(),
        capabilities: z.array(z.string()).exactOptional(),
      }),
    ),
  }),
}
export type ListPeersInput = z.output<typeof ListPeers.input>
export type ListPeersResult = z.output<typeof ListPeers.result>

export const Negotiate = {
  input: z.strictObject({
    peer_id: z.string().min(1).max(300).describe('of localsend_list_peers, or a tailnet name, or NAME:PORT'),
    preferred_transport: z.enum(transports).optional(),
    max_chunk_bytes: chunkBytes.optional().describe(`${CHUNK_BYTES.most}`),
    max_parallel: streams.optional().describe(`${STREAMS.most}`),
  }),
  result: z.strictObject({
    session_id: z.string(),
    transport: z.enum(transports).describe('the one that works'),
    target_ip: z.string(),
    port: z.int(),
    protocol: z.enum(['https', 'http']).describe('http only inside the tailnet, which encrypts'),
    device_name: z.string(),
    max_chunk_bytes: z.int(),
    max_parallel: z.int(),
  }),
}
export type NegotiateInput = z.output<typeof Negotiate.input>
export type NegotiateResult = z.output<typeof Negotiate.result>

export const Send = {
  input: z.strictObject({
    session_id,
    file_path: z.string().min(1).describe('a file or folder'),
    chunk_bytes: chunkBytes.optional().describe('written at a time; else as tuned'),
    parallelism: streams
      .optional()
      .describe('files of a folder at once, else as tuned: LocalSend sends each file over one stream'),
  }),
  result: z.strictObject({
    files_sent: z.int(),
    bytes_sent: z.int(),
    declined: z.array(z.string()).describe('names the peer did not want'),
    left_out: z.array(z.string()).describe('not sent: links to folders, empty folders'),
    chunk_bytes: z.int().describe('really used, as is parallelism'),
    parallelism: z.int(),
    throughput_bps: bps.exactOptional().describe('absent where it was over too soon to tell'),
  }),
}
export type SendInput = z.output<typeof Send.input>
export type SendResult = z.output<typeof Send.result>

const offers = z.array(
  z.strictObject({ from: z.string(), address: z.string(), files: z.int(), bytes: z.number() }),
)

export const Receive = {
  input: z.strictObject({
    session_id: session_id.describe('whose peer; of localsend_advertise: anybody of the tailnet'),
    dest_dir: z.string().min(1).describe('folder, made where missing'),
    accept: z.boolean().describe('false: decline what waits and what comes'),
  }),
  result: z.strictObject({
    accept: z.boolean(),
    dest_dir: z.string().exactOptional(),
    decided: offers.describe('offers that had waited for this'),
  }),
}
export type ReceiveInput = z.output<typeof Receive.input>
export type ReceiveResult = z.output<typeof Receive.result>

export const Probe = {
  input: z.strictObject({
    session_id,
    probe_bytes: z
      .int()
      .min(PROBE_BYTES.least)
      .max(PROBE_BYTES.most)
      .optional()
      .describe(`a step (${PROBE_BYTES.usual})`),
    probe_parallelism: streams.optional().describe('only this; else 1, 2, 4, 8 streams, then larger chunks'),
  }),
  result: z.strictObject({
    throughput_bps: bps.exactOptional(),
    throughput_from: z
      .enum(['probe', 'send'])
      .exactOptional()
      .describe('send: the last one, as the peer has nothing to probe with'),
    rtt_ms: z.number().describe('of a request when nothing else is sent'),
    loss_rate: z.number().exactOptional().describe('share of TCP segments sent again; absent where unknown'),
    chunk_bytes: z.int().describe('the tuned setting, which localsend_send uses'),
    parallelism: z.int(),
    steps: z.array(
      z.strictObject({
        chunk_bytes: z.int(),
        parallelism: z.int(),
        throughput_bps: z.number(),
        rtt_ms: z.number().describe('meanwhile'),
        loss_rate: z.number().exactOptional(),
      }),
    ),
  }),
}
export type ProbeInput = z.output<typeof Probe.input>
export type ProbeResult = z.output<typeof Probe.result>

export const SessionStatus = {
  input: z.strictObject({ session_id }),
  result: z.strictObject({
    bytes_sent: z.number(),
    bytes_received: z.number(),
    throughput_bps: bps.exactOptional().describe('of the last send or probe'),
    target_bps: z.number().exactOptional().describe('the most that this session has measured'),
    spectral_gap: z.number().exactOptional().describe('1 - throughput_bps / target_bps'),
    done: z.boolean().describe('the gap is at its target'),
    chunk_bytes: z.int(),
    parallelism: z.int(),
    rtt_ms: z.number().exactOptional(),
    loss_rate: z.number().exactOptional(),
    running: z.int().describe('sends and probes under way'),
    received: z.array(z.strictObject({ name: z.string(), path: z.string(), bytes: z.number() })),
    offers: offers.describe('wait for localsend_receive'),
  }),
}
export type SessionStatusInput = z.output<typeof SessionStatus.input>
export type SessionStatusResult = z.output<typeof SessionStatus.result>
