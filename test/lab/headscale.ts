import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { startDaemon } from './daemon.ts'
import { LabError } from './error.ts'
import { type Layout, switchIp } from './layout.ts'
import { netnsPath } from './network.ts'
import { isAlive, waitUntil } from './processes.ts'
import { run } from './run.ts'

/** The tailnet's own domain: host n1 is `n1.ts.test.` to its peers. */
export const tailnetDomain = 'ts.test'

/** The coordination server's configuration: its own relay and STUN, nothing of the public network. */
const configuration = (folder: string): unknown => ({
  server_url: `http://${switchIp}:8080`,
  listen_addr: '0.0.0.0:8080',
  metrics_listen_addr: '',
  disable_check_updates: true,
  noise: { private_key_path: join(folder, 'noise.key') },
  prefixes: { v4: '100.64.0.0/10' },
  database: { type: 'sqlite', sqlite: { path: join(folder, 'db.sqlite') } },
  derp: {
    server: {
      enabled: true,
      region_id: 999,
      region_code: 'lab',
      region_name: 'lab',
      verify_clients: false,
      stun_listen_addr: '0.0.0.0:3478',
      private_key_path: join(folder, 'derp.key'),
      ipv4: switchIp,
    },
    urls: [],
  },
  dns: {
    magic_dns: true,
    base_domain: tailnetDomain,
    override_local_dns: false,
    nameservers: { global: [] },
  },
  policy: { mode: 'file', path: join(folder, 'policy.json') },
  unix_socket: join(folder, 'headscale.sock'),
  unix_socket_permission: '0700',
})

/**
 * Everybody may reach everybody. Who asks Tailscale's own ssh server, where a host has it, is let in as operator, must
 * prove who they are in a browser as root, and is turned away as anybody else.
 */
const policy = {
  acls: [{ action: 'accept', src: ['*'], dst: ['*:*'] }],
  ssh: [
    { action: 'accept', src: ['lab@'], dst: ['lab@'], users: ['operator'] },
    { action: 'check', src: ['lab@'], dst: ['lab@'], users: ['root'] },
  ],
}

/** Starts headscale behind the switch and returns a key with which any host may join. */
export const startHeadscale = async (lab: Layout, binary: string): Promise<string> => {
  const folder = join(lab.runFolder, 'headscale')
  const config = join(folder, 'config.yaml')
  const socket = join(folder, 'headscale.sock')
  // The kernel keeps 108 bytes for the path of a Unix socket.
  if (Buffer.byteLength(socket) > 107)
    throw new LabError(`${socket} is too long for a socket: shorten XDG_CACHE_HOME`)
  await mkdir(folder, { mode: 0o700 })
  // JSON is YAML.
  await writeFile(config, JSON.stringify(configuration(folder)), { mode: 0o600 })
  await writeFile(join(folder, 'policy.json'), JSON.stringify(policy), { mode: 0o600 })
  const command = [binary, 'serve', '--config', config]
  const record = await startDaemon(['nsenter', `--net=${netnsPath(lab.switchNetns)}`, '--', ...command], {
    logFile: join(folder, 'log'),
    env: { HOME: folder },
  })
  const ask = asking(folder, binary)
  let alive = true
  const answered = await waitUntil(
    async () => {
      alive = await isAlive(record)
      if (!alive) return true
      return await ask('users', 'create', 'lab').then(
        () => true,
        () => false,
      )
    },
    30_000,
    50,
  )
  if (!alive || !answered) throw new LabError(`headscale did not start: see ${join(folder, 'log')}`)
  return await newKey(ask, '1')
}

type Ask = (...args: string[]) => Promise<string>

/** Says something to the headscale that runs in a folder. */
const asking =
  (folder: string, binary: string): Ask =>
  async (...args) =>
    await run([binary, ...args, '--config', join(folder, 'config.yaml'), '--output', 'json'], {
      env: { HOME: folder },
    })

const newKey = async (ask: Ask, userId: string): Promise<string> => {
  const key = z.object({ key: z.string() })
  const created: unknown = JSON.parse(
    await ask('preauthkeys', 'create', '--user', userId, '--reusable', '-e', '720h'),
  )
  return key.parse(created).key
}

/** Makes another user of the tailnet, and returns a key with which hosts join as theirs. */
export const newUser = async (lab: Layout, binary: string, name: string): Promise<string> => {
  const ask = asking(join(lab.runFolder, 'headscale'), binary)
  const created = z.object({ id: z.coerce.string() }).parse(JSON.parse(await ask('users', 'create', name)))
  return await newKey(ask, created.id)
}
