import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheRoot, provide } from '../cache.ts'
import { LabError } from '../error.ts'
import { type Log, run, tied, toolPath } from '../run.ts'

const tailscaleVersion = '1.102.3'
const headscaleVersion = '0.29.2'
const natsVersion = '2.15.2'

/** Go's own installer puts it beside PATH, so both places are looked at. */
const env = { PATH: `${toolPath}:/usr/local/go/bin`, CGO_ENABLED: '0' }

const go = async (args: readonly string[], extra: Record<string, string>, cwd: string): Promise<void> => {
  // Other tests run meanwhile, and what they wait for has deadlines.
  await run([...tied, 'nice', 'env', 'go', ...args], { env: { ...env, ...extra }, cwd, timeoutMs: 1_800_000 })
}

const needGo = async (): Promise<void> => {
  try {
    await run(['env', 'go', 'version'], { env })
  } catch (error) {
    throw new LabError('the lab builds tailscale, headscale and nats-server and needs Go: not found', 1, {
      cause: error,
    })
  }
}

const tailscale = {
  key: `tailscale-${tailscaleVersion}`,
  label: `building tailscaled ${tailscaleVersion}`,
  expected: '3 min',
  make: async (folder: string): Promise<void> => {
    await needGo()
    const commands = ['tailscale', 'tailscaled'].map(
      (name) => `tailscale.com/cmd/${name}@v${tailscaleVersion}`,
    )
    await go(['install', ...commands], { GOBIN: folder, GOFLAGS: '' }, folder)
  },
}

const headscale = {
  key: `headscale-${headscaleVersion}`,
  label: `building headscale ${headscaleVersion}`,
  expected: '2 min',
  make: async (folder: string): Promise<void> => {
    await needGo()
    // `go install …@version` fails, because the proxy lists no versions of this module; a module that requires it
    // works. Its go line matters: without one, Go wants the requirements of all requirements.
    const source = join(folder, 'source')
    await mkdir(source)
    const name = 'github.com/juanfont/headscale'
    await writeFile(join(source, 'go.mod'), `module lab\n\ngo 1.26\n\nrequire ${name} v${headscaleVersion}\n`)
    const output = join(folder, 'headscale')
    await go(['build', '-o', output, `${name}/cmd/headscale`], { GOFLAGS: '-mod=mod' }, source)
  },
}

const nats = {
  key: `nats-server-${natsVersion}`,
  label: `building nats-server ${natsVersion}`,
  expected: '30 s',
  make: async (folder: string): Promise<void> => {
    await needGo()
    await go(
      ['install', `github.com/nats-io/nats-server/v2@v${natsVersion}`],
      { GOBIN: folder, GOFLAGS: '' },
      folder,
    )
  },
}

/** The server of the tests of `--source nats=URL`: where it is once it was built, and what builds it. */
export const natsServer = {
  path: (): string => join(cacheRoot(), nats.key, 'nats-server'),
  provide: async (log: Log): Promise<string> => join(await provide(nats, log), 'nats-server'),
}

export interface TailnetBinaries {
  readonly tailscale: string
  readonly tailscaled: string
  readonly headscale: string
}

/** Builds what is not there yet, side by side: each build has stretches that use one core only. */
export const provideTailnet = async (log: Log): Promise<TailnetBinaries> => {
  const [clients, server] = await Promise.all([provide(tailscale, log), provide(headscale, log)])
  return {
    tailscale: join(clients, 'tailscale'),
    tailscaled: join(clients, 'tailscaled'),
    headscale: join(server, 'headscale'),
  }
}
