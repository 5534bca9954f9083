import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { ROOT, Session } from './session.ts'

const READING = [
  'mesh_balance',
  'find_minus',
  'node_trit',
  'scum_view',
  'plan_rebalance',
  'migrate_preflight',
  'list_jobs',
]
const ALL = 'migrate,throttle,offload,share,kill'
/** Nothing of a tailnet: this machine alone. */
const ALONE = { PATH: '/usr/bin:/bin', RESOURCE_SHARING_HOSTS: '' }

const open: Session[] = []
async function session(...args: string[]): Promise<Session> {
  const begun = new Session(args, ALONE)
  open.push(begun)
  return await begun.begin()
}
afterEach(async () => {
  const ends = await Promise.all(open.splice(0).map(async (each) => await each.close()))
  if (ends.some((code) => code !== 0)) throw new Error(`a server ended with ${ends.join(', ')}`)
})

const textOf = ({ result }: Awaited<ReturnType<Session['call']>>) => result?.content?.[0]?.text ?? ''

describe('the tools', () => {
  test('without --allow only look, and with everything allowed take no more than 12 kB', async () => {
    const looking = await session()
    const tools = await looking.tools()
    expect(tools.map(({ name }) => name)).toEqual(READING)
    expect(tools).toEqual(
      tools.map(() =>
        expect.objectContaining({ annotations: expect.objectContaining({ readOnlyHint: true }) }),
      ),
    )
    const acting = await session('--allow', ALL)
    const all = await acting.request('tools/list').answer
    expect(JSON.stringify(all.result).length).toBeLessThanOrEqual(12_000)
    expect(all.result?.tools?.map(({ name }) => name)).toEqual([
      ...READING,
      'migrate_scum',
      'scum_throttle',
      'scum_release',
      'scum_kill',
      'offload',
      'enqueue',
      'share_to_idle',
    ])
  })

  test('the seven of LocalSend come only where they are wanted, and take no more than 8 kB', async () => {
    const usual = await session()
    const wanted = await session('--tools', 'localsend')
    const [few, all] = [await usual.tools(), await wanted.tools()]
    expect(all.length - few.length).toBe(7)
    expect(JSON.stringify(all).length - JSON.stringify(few).length).toBeLessThanOrEqual(8000)
    const asked = await wanted.call('localsend_session_status', { session_id: 'none' })
    expect(asked.result).toMatchObject({ isError: true })
  })

  test('a tool that was not allowed is not there to be called', async () => {
    const looking = await session()
    expect(await looking.call('scum_kill', { pids: [1] })).toMatchObject({
      error: { code: -32_602, message: expect.stringContaining('"scum_kill"') },
    })
  })

  test('none takes hosts: which machines are asked is the person’s to say', async () => {
    const looking = await session()
    for (const name of ['mesh_balance', 'find_minus', 'scum_view', 'plan_rebalance'])
      expect((await looking.call(name, { hosts: ['evil.example'] })).result).toMatchObject({ isError: true })
  })

  test('says in words what the document says in full', async () => {
    const looking = await session()
    const answer = await looking.call('mesh_balance')
    expect(answer.result?.structuredContent).toMatchObject({ from: 'alone', nodes: [{ self: true }] })
    expect(textOf(answer)).toMatch(/^1 machines: .* without a measurement\. Σ = /)
  })

  test('a long list comes in parts, and what is left is told', async () => {
    const looking = await session(
      '--hosts',
      Array.from({ length: 9 }, (_, index) => `127.0.0.1:${index + 1}`).join(','),
    )
    const first = await looking.call('mesh_balance', { limit: 4 })
    expect(first.result?.structuredContent).toMatchObject({ more: { nodes: 6 } })
    expect(textOf(first)).toContain('6 more nodes: say offset.')
    const last = await looking.call('mesh_balance', { limit: 4, offset: 8 })
    expect(last.result?.structuredContent?.['nodes']).toHaveLength(2)
    expect(last.result?.structuredContent).not.toHaveProperty('more')
  })
})

describe('bad input', () => {
  test.each([
    ['scum_view', { count: 'many' }, 'count got "many"'],
    ['scum_view', { count: 0 }, 'count got 0'],
    ['scum_view', { host: 7 }, 'host got 7'],
    ['scum_view', { host: 'nobody' }, 'host "nobody" is not in the mesh'],
    ['find_minus', { unknown: 1 }, 'Unrecognized key'],
    ['migrate_preflight', {}, 'pid got nothing'],
    ['migrate_preflight', { pid: 0 }, 'pid got 0'],
    ['migrate_preflight', { pid: 4_194_304 }, 'there is no process with PID 4194304'],
    ['node_trit', [], ''],
    ['node_trit', 'x', ''],
  ] as const)('%s %j is told in one line, without a stack', async (name, args, line) => {
    const looking = await session()
    const answer = await looking.call(name, args)
    const told = answer.error?.message ?? textOf(answer)
    expect(answer.error !== undefined || answer.result?.isError).toBe(true)
    expect(told).toContain(line)
    expect(told).not.toMatch(/\n {4}at |node:internal/)
    expect((await looking.call('list_jobs')).result).toHaveProperty('structuredContent')
  })

  test('a frame that is no JSON, or no request, does not end it', async () => {
    const looking = await session()
    looking.write(
      'this is no JSON\n{"jsonrpc":"2.0"}\n[]\n\n{"jsonrpc":"1.0","id":7,"method":"tools/list"}\n',
    )
    looking.write(`${'{'.repeat(10_000)}\n`)
    expect(await looking.tools()).toHaveLength(READING.length)
    expect(looking.strange).toEqual([])
  })

  test('a message that is longer than can be read ends it, with a line that says so', async () => {
    const looking = new Session([], ALONE)
    await looking.begin()
    looking.write(`${'x'.repeat(12_000_000)}\n`)
    expect(await looking.ended).toBe(0)
    expect(looking.stderr).toMatch(/exceeded maximum size/)
  })

  test('arguments of 10 MB are refused, or end it cleanly', async () => {
    const looking = new Session([], ALONE)
    await looking.begin()
    const { answer } = looking.request('tools/call', {
      name: 'scum_view',
      arguments: { host: 'x'.repeat(10_000_000) },
    })
    const first = await Promise.race([answer, looking.ended])
    if (typeof first === 'object' && first !== null)
      expect(first.error !== undefined || first.result?.isError).toBe(true)
    expect(await looking.close()).toBe(0)
  })
})

describe('many calls', () => {
  test('two hundred at once are all answered', async () => {
    const looking = await session()
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, index) =>
        looking.call(index % 2 === 0 ? 'list_jobs' : 'migrate_preflight', index % 2 === 0 ? {} : { pid: 0 }),
      ),
    )
    expect(answers.filter(({ result }) => result?.structuredContent)).toHaveLength(100)
    expect(answers.filter(({ result }) => result?.isError)).toHaveLength(100)
  })

  test('one that is cancelled ends before its time, and the others go on', async () => {
    const looking = await session()
    const { id } = looking.request('tools/call', { name: 'scum_view', arguments: { windowMs: 60_000 } })
    const other = looking.call('list_jobs')
    looking.notify('notifications/cancelled', { requestId: id, reason: 'enough' })
    expect((await other).result).toHaveProperty('structuredContent')
    // What it has begun has ended with it: the end of the session does not wait for the window.
    const began = performance.now()
    expect(await looking.close()).toBe(0)
    expect(performance.now() - began).toBeLessThan(30_000)
  })

  test('what takes its time tells how far it is, to who has asked for it', async () => {
    const looking = await session('--hosts', '127.0.0.1:1')
    const { answer } = looking.request('tools/call', {
      name: 'mesh_balance',
      arguments: {},
      _meta: { progressToken: 'p' },
    })
    await answer
    expect(looking.said).toContainEqual(
      expect.objectContaining({
        method: 'notifications/progress',
        params: expect.objectContaining({ progressToken: 'p', progress: 1, message: 'asking 1 machines' }),
      }),
    )
  })
})

function statOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return ''
  }
}

describe('the end', () => {
  test('it ends when its input does, in the middle of a call too', async () => {
    const looking = new Session([], ALONE)
    await looking.begin()
    void looking.call('scum_view', { windowMs: 60_000 })
    expect(await looking.close()).toBe(0)
  })

  test('it ends when who started it was killed, though its input is still open', async () => {
    const at = mkdtempSync(join(tmpdir(), 'mcp-'))
    // The input is a FIFO that this test keeps open too.
    const script = `cd "$1" && mkfifo input && exec 8<>input && { "$2" "$3" scripts/mcp.ts <input >output & echo $!; wait; }`
    const server = [process.execPath, join(ROOT, 'cli/start.mjs')]
    const client = spawn('sh', ['-c', script, 'sh', at, ...server], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [chunk]: Buffer[] = await once(client.stdout, 'data')
    const pid = Number(chunk?.toString())
    const holder = openSync(join(at, 'input'), 'r+')
    writeSync(holder, '{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
    await expect.poll(() => statSync(join(at, 'output')).size).toBeGreaterThan(0)
    client.kill('SIGKILL')
    const state = () => /^\d+ \(node\) (.)/.exec(statOf(pid))?.[1] ?? 'gone'
    await expect.poll(state, { timeout: 30_000 }).toMatch(/^(?:gone|Z)$/)
    closeSync(holder)
  })

  test('SIGTERM ends it with 130', async () => {
    const looking = new Session([], ALONE)
    await looking.begin()
    looking.child.kill('SIGTERM')
    expect(await looking.ended).toBe(130)
  })
})

describe('folders', () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-')))
  const outside = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-')))
  writeFileSync(join(folder, 'file'), 'x')
  writeFileSync(join(outside, 'secret'), 'x')
  symlinkSync(join(outside, 'secret'), join(folder, 'link'))

  test.each([
    ['/etc/passwd', /"\/etc\/passwd" is outside/],
    ['../../etc/passwd', /is outside/],
    ['link', /"link" is outside/],
    ['.', /link" is outside/],
    ['missing', /paths "missing" does not exist/],
  ])('share_to_idle of %s is refused', async (path, line) => {
    const acting = await session('--allow', 'share', '--root', folder)
    const answer = await acting.call('share_to_idle', { paths: [path] })
    expect(answer.result).toMatchObject({ isError: true })
    expect(textOf(answer)).toMatch(line)
  })

  test('what comes back does not go where a link in the root leads', async () => {
    symlinkSync(outside, join(folder, 'out'))
    const acting = await session('--allow', 'offload', '--root', folder)
    for (const path of ['out/new', 'out/secret', 'link']) {
      const answer = await acting.call('enqueue', { command: ['true'], return: [path] })
      expect(textOf(answer)).toMatch(/is outside/)
    }
    rmSync(join(folder, 'out'))
  })

  test('a folder that can not be looked through is not sent', async () => {
    const odd = join(folder, 'odd')
    mkdirSync(Buffer.from(`${odd}/\xFF`, 'latin1'), { recursive: true })
    const acting = await session('--allow', 'share', '--root', folder)
    expect(textOf(await acting.call('share_to_idle', { paths: ['odd'] }))).toMatch(/can't be looked through/)
    rmSync(odd, { recursive: true })
  })

  test('a file below the root would be sent: only a machine is missing', async () => {
    const acting = await session('--allow', 'share', '--root', folder)
    expect(textOf(await acting.call('share_to_idle', { paths: ['file'] }))).toBe('No idle peers available')
  })

  test('without a root no path is open', async () => {
    const acting = await session('--allow', 'share,offload')
    const answer = await acting.call('share_to_idle', { paths: [join(folder, 'file')] })
    expect(textOf(answer)).toMatch(/--root FOLDER/)
    expect(textOf(await acting.call('enqueue', { command: ['true'] }))).toMatch(/--root FOLDER/)
  })
})

test.each([
  [['--allow', 'everything'], '--allow takes migrate, throttle, offload, share, kill, not "everything"'],
  [['--root', '/nowhere'], '--root "/nowhere" does not exist'],
  [['--root', ''], '--root needs a folder'],
  [['--root', '/etc/passwd'], '--root "/etc/passwd" is not a folder'],
  [['--hosts=-oProxyCommand=x'], '--hosts: "-oProxyCommand=x" is not a host'],
  [['--json'], '--json has no meaning'],
])('just mcp %j is told in one line', async (args, line) => {
  const refused = new Session(args, ALONE)
  expect(await refused.ended).toBe(2)
  expect(refused.stderr.trim().split('\n')).toEqual([expect.stringContaining(line)])
  expect(refused.said).toEqual([])
})
