import { z } from 'zod'
import { ACCEPT_WAIT_SECONDS, PORT_NUMBER } from '../bounds.ts'
import { meshInput } from '../see/schemas.ts'

const port = z
  .int()
  .min(PORT_NUMBER.least)
  .max(PORT_NUMBER.most)
  .optional()
  .describe('where LocalSend listens (53317)')
const insecureHttp = z.boolean().optional().describe('without TLS, with a peer that speaks none')

export const ShareToIdle = {
  input: z.strictObject({
    ...meshInput,
    paths: z.array(z.string()).min(1).describe('files and folders'),
    target: z.string().optional().describe('to this machine, whatever its load'),
    via: z
      .enum(['localsend', 'taildrop', 'ssh', 'auto'])
      .optional()
      .describe('auto: the first of localsend, ssh, taildrop that works (localsend)'),
    port,
    pin: z.string().optional().describe('what the receiver asks for'),
    waitSeconds: z
      .number()
      .min(ACCEPT_WAIT_SECONDS.least)
      .max(ACCEPT_WAIT_SECONDS.most)
      .optional()
      .describe('how long the receiver may take to accept (60)'),
    dest: z.string().optional().describe('folder where ssh puts it there'),
    trustNew: z.boolean().optional().describe('accept that its certificate has changed'),
    insecureHttp,
  }),
  result: z.strictObject({
    target: z.string(),
    address: z.string(),
    via: z.enum(['localsend', 'taildrop', 'ssh']),
    by: z.string().describe('the way in words'),
    where: z.string().exactOptional().describe('where it is there, where that is known'),
    bytes: z.number(),
    seconds: z.number(),
    bytesPerSecond: z.number().exactOptional().describe('absent where it went too fast to tell'),
    files: z.array(
      z.strictObject({ name: z.string(), bytes: z.number(), sha256: z.string().exactOptional() }),
    ),
    declined: z.array(z.string()).describe('names that the receiver did not want'),
    leftOut: z.array(z.strictObject({ name: z.string(), why: z.string() })).describe('not sent'),
    tried: z.array(z.strictObject({ name: z.string(), reason: z.string() })).describe('who did not take it'),
  }),
}
export type ShareToIdleInput = z.output<typeof ShareToIdle.input>
export type ShareToIdleResult = z.output<typeof ShareToIdle.result>

export const Peers = {
  input: z.strictObject({ ...meshInput, port, insecureHttp }),
  result: z.strictObject({
    peers: z.array(
      z.strictObject({
        name: z.string(),
        address: z.string(),
        port: z.int(),
        protocol: z.enum(['https', 'http']),
        alias: z.string(),
        version: z.string(),
        deviceType: z.string(),
        fingerprint: z.string().exactOptional(),
      }),
    ),
    asked: z.int().exactOptional().describe('how many machines were asked, where none answered'),
  }),
}
export type PeersInput = z.output<typeof Peers.input>
export type PeersResult = z.output<typeof Peers.result>

export const Receive = {
  input: z.strictObject({
    dir: z.string().optional().describe('where files go (~/Downloads/resource-sharing)'),
    port,
    pin: z.string().min(1).max(64).optional().describe('what senders have to say'),
    once: z.boolean().optional().describe('end after the first sender'),
    allow: z.array(z.string()).optional().describe('networks that may send too: needs a PIN'),
    listen: z.array(z.string()).optional().describe('addresses to listen on instead'),
    insecureHttp,
    seconds: z.number().optional().describe('end after so long'),
  }),
  result: z.strictObject({
    sessions: z.int().describe('how many senders are done'),
    stored: z.int().describe('files that arrived'),
    missing: z.int().describe('files that did not'),
  }),
}
export type ReceiveInput = z.output<typeof Receive.input>
export type ReceiveResult = z.output<typeof Receive.result>

const from = { from: z.string(), address: z.string() }
/** A line of `receive --json`. Names and texts are the sender's own. */
export const ReceiveEvent = z.discriminatedUnion('event', [
  z.strictObject({ event: z.literal('offered'), ...from, files: z.int(), bytes: z.number() }),
  z.strictObject({
    event: z.literal('stored'),
    ...from,
    name: z.string(),
    path: z.string(),
    bytes: z.number(),
    sha256: z.string(),
  }),
  z.strictObject({ event: z.literal('failed'), ...from, name: z.string(), reason: z.string() }),
  z.strictObject({ event: z.literal('over'), ...from, stored: z.int(), missing: z.int() }),
  z.strictObject({ event: z.literal('message'), ...from, text: z.string() }),
  z.strictObject({ event: z.literal('refused'), ...from, status: z.int(), reason: z.string() }),
])
