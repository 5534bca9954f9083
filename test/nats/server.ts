import { access, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { certificate } from '../certificates.ts'
import { freePort } from '../free-port.ts'
import { natsServer } from '../lab/provision/go.ts'
import { runScript } from '../run-script.ts'

/** The server's program: that of PATH, else the one that the lab builds; in CI it is built if need be. */
async function program(): Promise<string | undefined> {
  const { failed } = await execa('nats-server', ['--version'], { reject: false })
  if (!failed) return 'nats-server'
  const built = natsServer.path()
  if (await isThere(built)) return built
  return process.env.CI === 'true' ? await natsServer.provide(() => {}) : undefined
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}

const found = await program()

/** Whether tests that need it are left out: `just lab up 1` builds it. */
export const withoutNats = found === undefined

export type RunningNats = {
  /** With what `just nats-setup` wrote. */
  folder: string
  port: number
  /** For --source. */
  source: string
  /** The file of somebody's credentials. */
  credentials: (name: string) => string
  /** Ends it at once, as a crash does. */
  kill: () => Promise<void>
  /** Begins it again, in the same place. */
  begin: () => Promise<void>
  /** Has it read its configuration again. */
  reload: () => void
  close: () => Promise<void>
}

type Wanted = {
  change?: (text: string) => string
  args?: string[]
  /** Over TLS alone: the server's certificate, and whether a client has to show the one that is trusted there. */
  tls?: 'server' | 'both'
}

/** A real nats-server on the loopback as `just nats-setup` sets it up, with its bucket and these machines. */
export async function startNats(
  nodes: readonly string[],
  { change = (text) => text, args = [], tls }: Wanted = {},
): Promise<RunningNats> {
  const folder = await mkdtemp(join(tmpdir(), 'nats-'))
  const port = await freePort()
  const dir = ['--dir', folder]
  const listen = `127.0.0.1:${port}`
  const named = nodes.flatMap((name) => ['--node', name])
  const ran = await runScript('nats-setup', [...dir, '--listen', listen, ...named, ...args])
  if (ran.exitCode !== 0) throw new Error(ran.stderr)
  const file = join(folder, 'server.conf')
  await writeFile(file, (tls ? await overTls(folder, tls) : '') + change(await readFile(file, 'utf8')))
  const start = () => execa(found ?? 'nats-server', ['-c', file], { reject: false, all: true })
  let running = start()
  const source = `nats=${tls ? 'tls' : 'nats'}://${listen}`
  const owner = tls ? ['--source', source, '--source-config', join(folder, 'owner.yml')] : []
  const ready = async () => {
    for (let tries = 0; ; tries += 1) {
      const made = await runScript('nats-setup', [...dir, '--create', ...owner])
      if (made.exitCode === 0) return
      if (tries > 50 || running.exitCode !== null)
        throw new Error(`nats-server does not begin: ${made.stderr} ${(await running).all}`)
      await sleep(100)
    }
  }
  const kill = async () => {
    running.kill('SIGKILL')
    await running
  }
  await ready()
  return {
    folder,
    port,
    source,
    credentials: (name) => join(folder, tls ? `${name}.yml` : `${name}.nk`),
    kill,
    begin: async () => {
      running = start()
      await ready()
    },
    reload: () => void running.kill('SIGHUP'),
    close: async () => {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** What makes the server of a folder speak TLS alone; files with credentials name the certificates too. */
async function overTls(folder: string, tls: 'server' | 'both'): Promise<string> {
  const [server, client] = await Promise.all([certificate(folder, 'server'), certificate(folder, 'client')])
  const seeds = (await readdir(folder)).filter((name) => name.endsWith('.nk'))
  for (const seed of seeds) {
    const own = tls === 'both' ? { cert_file: 'client.crt', key_file: 'client.key' } : {}
    const config = { nkey_file: seed, tls_config: { ca_file: 'server.crt', ...own } }
    await writeFile(join(folder, seed.replace(/\.nk$/, '.yml')), JSON.stringify(config))
  }
  const verify = tls === 'both' ? `, ca_file: "${client.cert}", verify: true` : ''
  return `tls { cert_file: "${server.cert}", key_file: "${server.key}"${verify} }\n`
}
