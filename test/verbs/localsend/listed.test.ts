import { expect, test } from 'vitest'
import { inputSchemaOf, outlineOf } from '../../../verbs/mcp/outline.ts'
import { localsending } from '../../../verbs/localsend/verbs.ts'
import { z } from 'zod'

const DRAFT: Record<string, string[]> = {
  localsend_advertise: [
    'agent_id',
    'device_name',
    'localsend_port',
    'tailscale_ip',
    'capabilities',
    'spectral_gap_target',
  ],
  localsend_list_peers: ['source'],
  localsend_negotiate: ['peer_id', 'preferred_transport', 'max_chunk_bytes', 'max_parallel'],
  localsend_send: ['session_id', 'file_path', 'chunk_bytes', 'parallelism'],
  localsend_receive: ['session_id', 'dest_dir', 'accept'],
  localsend_probe: ['session_id', 'probe_bytes', 'probe_parallelism'],
  localsend_session_status: ['session_id'],
}
const OUTPUTS: Record<string, string[]> = {
  localsend_negotiate: ['session_id', 'transport', 'target_ip', 'port'],
  localsend_probe: ['throughput_bps', 'rtt_ms', 'loss_rate'],
  localsend_session_status: ['bytes_sent', 'bytes_received', 'throughput_bps', 'spectral_gap'],
}

test('the tools and what they take are named as in the draft', () => {
  const named = localsending.map(({ name, input }) => [name, Object.keys(input.shape)])
  expect(Object.fromEntries(named)).toEqual(DRAFT)
  for (const [name, keys] of Object.entries(OUTPUTS)) {
    const result = localsending.find((verb) => verb.name === name)?.result
    expect(Object.keys(result instanceof z.ZodObject ? result.shape : {})).toEqual(
      expect.arrayContaining(keys),
    )
  }
})

test('in tools/list, as the server writes it, they take at most 8 kB together', () => {
  const listed = localsending.map(({ name, title, description, effect, input, result }) => ({
    name,
    title,
    description,
    inputSchema: inputSchemaOf(input),
    outputSchema: outlineOf(result),
    annotations: effect,
  }))
  expect(Buffer.byteLength(JSON.stringify(listed))).toBeLessThanOrEqual(8000)
})
