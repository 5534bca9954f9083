import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { UsageError } from '../../../lib/base/errors.ts'
import { silently } from '../../../verbs/verb.ts'
import { planServing, serveSite, type ServeInput } from '../../../verbs/web/serve.ts'
import { readToken, TOKEN_VARIABLE } from '../../../verbs/web/token.ts'
import { ASite } from './a-site.ts'

const TOKEN = 'a-token-of-this-test'

let folder = ''
let said: string[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rs-test-'))
  said = []
  vi.stubEnv('PATH', `${folder}:${process.env.PATH}`)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

/** A tailscale that says this of the machine, whose owner is user 7. */
async function tailscale({
  tags = [],
  tun = true,
  addresses = ['100.64.0.1', 'fd7a:115c:a1e0::1'],
}: Said = {}) {
  const self = { DNSName: 'n1.ts.test.', OS: 'linux', UserID: 7, TailscaleIPs: addresses, Online: true }
  const status = JSON.stringify({ BackendState: 'Running', TUN: tun, Self: self, Peer: null })
  const whois = JSON.stringify({
    Node: { ComputedName: 'n1', User: 7, Tags: tags },
    UserProfile: { LoginName: 'operator' },
  })
  const script = `#!/bin/sh\ncase $1 in status) echo '${status}' ;; whois) echo '${whois}' ;; esac\n`
  await writeFile(join(folder, 'tailscale'), script, { mode: 0o755 })
}
type Said = { tags?: string[]; tun?: boolean; addresses?: string[] }

const plan = async (input: ServeInput = {}) => {
  const deps = { ...silently(new AbortController().signal), hint: (line: string) => void said.push(line) }
  return await planServing(input, deps)
}

test('unless it is told, it is served on the loopback and the tailnet’s addresses, by the names of the machine', async () => {
  await tailscale()
  const { listen, optional, port, rules } = await plan()
  expect({ listen, optional, port }).toEqual({
    listen: ['127.0.0.1', '100.64.0.1', 'fd7a:115c:a1e0::1'],
    optional: ['::1'],
    port: 8642,
  })
  expect([...rules.names]).toEqual(expect.arrayContaining(['n1.ts.test', 'n1', hostname().toLowerCase()]))
  expect(rules).toMatchObject({ owner: { machine: 'n1', userId: 7, login: 'operator', tagged: false } })
  expect(rules).not.toHaveProperty('token')
  expect(said).toEqual([])
})

test('without a tailnet it is for this machine, and that is said', async () => {
  await writeFile(
    join(folder, 'tailscale'),
    '#!/bin/sh\necho "failed to connect to local tailscale" >&2; exit 1\n',
    {
      mode: 0o755,
    },
  )
  const { listen, rules } = await plan()
  expect([listen, rules.owner]).toEqual([['127.0.0.1'], undefined])
  expect(said).toEqual(['no other machine can look: the tailscale daemon is not running'])
})

test.each([['0.0.0.0'], ['[::]:9000'], ['192.168.1.2:80']])(
  '%s is refused without a token, and taken with one',
  async (serve) => {
    await tailscale()
    await expect(plan({ serve })).rejects.toThrow(
      'is open beyond this machine and its tailnet: say --token-file',
    )
    await expect(plan({ serve })).rejects.toThrow(UsageError)
    vi.stubEnv(TOKEN_VARIABLE, TOKEN)
    expect((await plan({ serve })).rules.token).toBe(TOKEN)
  },
)

test('where the tailnet comes in by the loopback, nothing is served without a token', async () => {
  await tailscale({ tun: false })
  await expect(plan()).rejects.toThrow(
    'would be open to the whole tailnet, because tailscaled runs without a device',
  )
  await expect(plan({ serve: '127.0.0.1' })).rejects.toThrow('would be open to the whole tailnet')
  vi.stubEnv(TOKEN_VARIABLE, TOKEN)
  const { listen, rules } = await plan()
  expect([listen, rules.token]).toEqual([['127.0.0.1'], TOKEN])
})

test('a tagged machine belongs to nobody, and it is said what others need', async () => {
  await tailscale({ tags: ['tag:server'] })
  expect((await plan()).rules.owner).toMatchObject({ tagged: true })
  expect(said.join()).toContain('belongs to nobody')
})

test('it says where it can be opened, and ends with the reason of the signal', async () => {
  await tailscale({ addresses: [] })
  const over = new AbortController()
  const urls: string[] = []
  const serving = serveSite(new ASite(), await plan({ serve: '127.0.0.1:0' }), over, (told) =>
    urls.push(...told),
  )
  await expect.poll(() => urls).toEqual([expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/$/)])
  expect((await fetch(urls[0] ?? '')).status).toBe(200)
  over.abort(new Error('that is all'))
  await expect(serving).rejects.toThrow('that is all')
  await expect(fetch(urls[0] ?? '')).rejects.toThrow('fetch failed')
})

test('a token comes from a file or from the environment, without its line break', async () => {
  const file = join(folder, 'token')
  await writeFile(file, `${TOKEN}\n`)
  expect(await readToken(file, {})).toBe(TOKEN)
  expect(await readToken(undefined, { [TOKEN_VARIABLE]: TOKEN })).toBe(TOKEN)
  expect(await readToken(undefined, { [TOKEN_VARIABLE]: '' })).toBeUndefined()
  expect(await readToken(undefined, {})).toBeUndefined()
})

test.each([[''], ['short'], ['a token with spaces in it'], ['x'.repeat(2000)], ['ein-Schlüssel-mit-Umlaut']])(
  'a token is not %j, and it is not told what it was',
  async (text) => {
    const file = join(folder, 'token')
    await writeFile(file, text)
    const error = await readToken(file, {}).catch((thrown: unknown) => String(thrown))
    expect(error).toContain('must hold 16 to 1024 characters of ASCII')
    if (text !== '') expect(error).not.toContain(text)
    const variable = readToken(undefined, { [TOKEN_VARIABLE]: text || ' ' })
    await expect(variable).rejects.toThrow(`${TOKEN_VARIABLE} must be 16 to 1024 characters`)
  },
)

test('a file that is not there is told', async () => {
  await expect(readToken('/nothing/there', {})).rejects.toThrow('"/nothing/there" does not exist')
})
