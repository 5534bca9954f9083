import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { openLab, type Lab } from '../lab/lab.ts'
import { hostLayoutOf, layoutOf } from '../lab/layout.ts'
import { npmLocalsend } from '../localsend-peers/software.ts'
import { Negotiate, Probe, Send, SessionStatus } from '../../verbs/localsend/schemas.ts'

const INSTANCE = 'localsend-verbs'
const REPOSITORY = '/srv/resource-sharing'
const START = ['node', `${REPOSITORY}/cli/start.mjs`]
const PORT = '53317'
const MIB = 1 << 20

const say = (line: string) => void process.stdout.write(`${line}\n`)
let lab: Lab
// n1 and n2 are agents, n2 has the software of others too.
beforeAll(async () => {
  const npm = await npmLocalsend(say)
  lab = await openLab({ instance: INSTANCE, hosts: 2, log: say })
  await copyFile(npm, join(hostLayoutOf(layoutOf(INSTANCE), 2).shared, 'localsend.mjs'))
  await sh('n1', `mkdir -p out/tree && head -c ${24 * MIB} /dev/urandom >out/big`)
  await sh('n1', `for i in 1 2 3 4 5 6; do head -c ${4 * MIB} /dev/urandom >out/tree/$i; done`)
  await sh('n1', 'tailscale ping --until-direct n2')
}, 1_500_000)
afterAll(() => lab?.close())

const open: { stop: () => Promise<void> }[] = []
afterEach(async () => {
  await lab.clearNetem('n1')
  await Promise.all(open.splice(0).map(async ({ stop }) => await stop()))
})

async function sh(node: string, script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await lab.exec(node, ['bash', '-ec', script], { timeoutMs: 120_000 })
  if (exitCode !== 0) throw new Error(`${node}: ${script}: ${stderr}${stdout}`)
  return stdout
}

/** An agent of a host, and its server there, as long as the test takes. */
async function agentOn(node: string, env: Record<string, string> = {}) {
  const server = [...START, 'scripts/mcp.ts', '--tools', 'localsend', '--root', '/root']
  const [command = '', ...args] = await lab.enter(node, server, { env, cwd: '/root' })
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(new StdioClientTransport({ command, args, stderr: 'inherit' }))
  await client.listTools() // From then on it holds results against their schemas.
  open.push({ stop: async () => await client.close() })
  const ask = async (name: string, input: Record<string, unknown>) => {
    const called = await client.callTool({ name, arguments: input }, { timeout: 120_000 })
    const [first] = called.content
    const told = first?.type === 'text' ? first.text : ''
    return called.isError ? { error: told, told } : { result: called.structuredContent, told }
  }
  const call = async (name: string, input: Record<string, unknown>): Promise<unknown> => {
    const { error, result } = await ask(name, input)
    if (error !== undefined) throw new Error(`${name} on ${node}: ${error}`)
    return result
  }
  return { ask, call }
}

const advertised = {
  agent_id: 'second',
  device_name: 'the second machine',
  localsend_port: Number(PORT),
  capabilities: ['sha256'],
  spectral_gap_target: 0.25,
}

test('two agents find each other, negotiate, tune a lossless way, send by that, and know how far from the best it was', async () => {
  const [first, second] = [await agentOn('n1'), await agentOn('n2')]
  const there = z
    .object({ session_id: z.string(), listening: z.array(z.string()) })
    .parse(await second.call('localsend_advertise', advertised))
  const target_ip = lab.nodes.find(({ name }) => name === 'n2')?.tailnetIp
  expect(there.listening).toEqual([target_ip, '127.0.0.1'])
  expect(await first.call('localsend_list_peers', { source: 'tailscale' })).toMatchObject({
    peers: [{ peer_id: 'n2', device_name: 'the second machine', address: target_ip, agent_id: 'second' }],
  })
  const input = { peer_id: 'n2', preferred_transport: 'tailscale', max_chunk_bytes: MIB, max_parallel: 8 }
  const negotiated = Negotiate.result.parse(await first.call('localsend_negotiate', input))
  expect(negotiated).toMatchObject({ transport: 'tailscale', target_ip, port: 53_317, protocol: 'https' })
  const { session_id } = negotiated

  const probed = Probe.result.parse(await first.call('localsend_probe', { session_id, probe_bytes: 8 * MIB }))
  say(`lossless: ${JSON.stringify(probed)}`)
  expect(probed.throughput_from).toBe('probe')
  expect(probed.loss_rate).toBeLessThan(0.01)
  expect(probed.steps.length).toBeGreaterThan(1)

  await second.call('localsend_receive', { session_id: there.session_id, dest_dir: '/root/in', accept: true })
  const sent = Send.result.parse(
    await first.call('localsend_send', { session_id, file_path: '/root/out/tree' }),
  )
  say(`sent: ${JSON.stringify(sent)}`)
  expect(sent).toMatchObject({
    files_sent: 6,
    bytes_sent: 24 * MIB,
    chunk_bytes: probed.chunk_bytes,
    parallelism: Math.min(6, probed.parallelism),
  })
  const sums = async (node: string, folder: string) => await sh(node, `cd ${folder} && sha256sum tree/*`)
  expect(await sums('n2', '/root/in')).toBe(await sums('n1', '/root/out'))

  const status = SessionStatus.result.parse(await first.call('localsend_session_status', { session_id }))
  say(`status: ${JSON.stringify(status)}`)
  const target = Math.max(
    sent.throughput_bps ?? 0,
    ...probed.steps.map(({ throughput_bps }) => throughput_bps),
  )
  expect(status).toMatchObject({
    bytes_sent: 24 * MIB,
    throughput_bps: sent.throughput_bps,
    target_bps: target,
  })
  const gap = 1 - (sent.throughput_bps ?? 0) / target
  expect(status.spectral_gap).toBeCloseTo(gap, 3)
  expect(status.done).toBe(gap <= 0.25)
  expect(await second.call('localsend_session_status', { session_id: there.session_id })).toMatchObject({
    bytes_received: 24 * MIB,
    offers: [],
  })
})

test('a probe sees the delay and the loss of the way, and adds no streams to it', async () => {
  const [first, second] = [await agentOn('n1'), await agentOn('n2')]
  await second.call('localsend_advertise', advertised)
  const negotiate = { peer_id: 'n2', max_chunk_bytes: MIB, max_parallel: 8 }
  const { session_id } = Negotiate.result.parse(await first.call('localsend_negotiate', negotiate))
  await lab.netem('n1', 'delay 60ms')
  const delayed = Probe.result.parse(
    await first.call('localsend_probe', { session_id, probe_bytes: 2 * MIB, probe_parallelism: 1 }),
  )
  say(`delayed: ${JSON.stringify(delayed)}`)
  expect(delayed.rtt_ms).toBeGreaterThan(59)
  await lab.netem('n1', 'delay 20ms loss 5%')
  const lossy = Probe.result.parse(await first.call('localsend_probe', { session_id, probe_bytes: 2 * MIB }))
  say(`lossy: ${JSON.stringify(lossy)}`)
  const [step, ...more] = lossy.steps
  expect(step).toMatchObject({ chunk_bytes: 256 * 1024, parallelism: 1 })
  expect(step?.loss_rate).toBeGreaterThan(0.01)
  expect(more.every(({ parallelism }) => parallelism === 1)).toBe(true)
  expect(lossy.loss_rate).toBeGreaterThan(0.01)
  expect(await sh('n2', "find / -xdev -newer /proc/1 -name '*.part' 2>/dev/null | wc -l")).toBe('0')
})

test('npm localsend is found by both ways, gets files without TLS inside the tailnet alone, and only its round trip is known', async () => {
  await sh('n2', 'mkdir -p npm')
  const receive = ['node', '/run/lab/localsend.mjs', 'receive', '--autoAccept', '--saveDir', '/root/npm']
  const { process: server } = await lab.spawn('n2', receive, { cwd: '/root/npm' })
  open.push({
    stop: async () => {
      server.kill('SIGTERM')
      await server
    },
  })
  const listens = async () => (await lab.exec('n2', ['ss', '-Hltn', `sport = :${PORT}`])).stdout
  await expect.poll(listens, { timeout: 30_000, interval: 200 }).not.toBe('')
  // What has spoken TLS at this address is not spoken to without: here nobody has.
  const first = await agentOn('n1', { XDG_STATE_HOME: '/root/state-npm' })
  const { result, told } = await first.ask('localsend_negotiate', { peer_id: 'n2' })
  expect(told).toContain('speaks no TLS')
  const { session_id, protocol } = Negotiate.result.parse(result)
  expect(protocol).toBe('http')
  const probed = Probe.result.parse(await first.call('localsend_probe', { session_id }))
  expect(probed).toEqual({
    rtt_ms: expect.any(Number),
    chunk_bytes: 256 * 1024,
    parallelism: 1,
    steps: [],
  })
  const sent = await first.call('localsend_send', { session_id, file_path: '/root/out/big' })
  expect(sent).toMatchObject({ files_sent: 1, bytes_sent: 24 * MIB, parallelism: 1 })
  const sum = async (node: string, file: string) => (await sh(node, `sha256sum ${file}`)).slice(0, 64)
  const original = await sum('n1', '/root/out/big')
  await expect.poll(async () => await sum('n2', '/root/npm/big'), { timeout: 10_000 }).toBe(original)
  expect(await first.call('localsend_list_peers', { source: 'tailscale' })).toMatchObject({
    peers: [{ peer_id: 'n2', protocol: 'http' }],
  })
  const lanIp = lab.nodes.find(({ name }) => name === 'n2')?.lanIp ?? ''
  const found = await first.call('localsend_list_peers', { source: 'localsend_multicast' })
  const there = expect.objectContaining({ peer_id: `${lanIp}:${PORT}`, address: lanIp, protocol: 'http' })
  expect(found).toEqual({ peers: expect.arrayContaining([there]) })
  const beyond = await first.ask('localsend_negotiate', { peer_id: `${lanIp}:${PORT}` })
  // Outside of the tailnet nothing is sent without TLS.
  expect(beyond.error).toMatch(/speaks no TLS.*ask the person/)
})
