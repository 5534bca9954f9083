import { createHash } from 'node:crypto'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { HostProcess } from '../lab/exec.ts'
import { openLab, type Lab } from '../lab/lab.ts'
import { hostLayoutOf, layoutOf } from '../lab/layout.ts'
import { send, startReceiver } from '../localsend-peers/local-receiver.ts'
import { npmLocalsend, rustLocalsend } from '../localsend-peers/software.ts'

const INSTANCE = 'interop'
const PORT = '53317'
const REPOSITORY = '/srv/resource-sharing'
// Not by way of `just`, so that a signal goes to the receiver itself.
const RECEIVE = ['node', `${REPOSITORY}/cli/start.mjs`, 'scripts/receive.ts', '--port', PORT]
/** Of several chunks, and small enough for npm localsend to send whole. */
const FILE_BYTES = 20_000_003
/** What is longer than 50 MiB npm localsend sends in pieces, as the protocol has it not. */
const LONG_BYTES = 53_000_000

const log = (line: string) => void process.stdout.write(`${line}\n`)

let lab: Lab
let rust: Awaited<ReturnType<typeof rustLocalsend>>
// n1 is ours, n2 has the software of others; each has /root/out to send from and /root/in to receive into.
beforeAll(async () => {
  const npm = await npmLocalsend(log)
  rust = await rustLocalsend(log)
  lab = await openLab({ instance: INSTANCE, hosts: 2, log })
  const { shared } = hostLayoutOf(layoutOf(INSTANCE), 2)
  await copyFile(npm, join(shared, 'localsend.mjs'))
  if ('path' in rust) await copyFile(rust.path, join(shared, 'localsend-rs'))
  const make = `mkdir out in && head -c ${FILE_BYTES} /dev/urandom >out/file.bin && : >out/empty
    printf 'small' >'out/ünïcode 漢字 +&%.txt'
    for each in own other; do
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=$each \\
        -keyout $each.key -out $each.crt 2>/dev/null
    done`
  for (const node of ['n1', 'n2']) {
    const { exitCode, stderr } = await lab.exec(node, ['sh', '-ec', make])
    if (exitCode !== 0) throw new Error(`${node} could not be prepared: ${stderr}`)
  }
}, 1_500_000)
afterAll(() => lab?.close())

function tailnetIp(node: string): string {
  return lab.nodes.find(({ name }) => name === node)?.tailnetIp ?? ''
}

const just = async (node: string, args: string[], env: Record<string, string> = {}) =>
  await lab.exec(node, ['just', ...args], { cwd: REPOSITORY, env, timeoutMs: 100_000 })

async function sha256(node: string, file: string): Promise<string> {
  const { stdout, stderr, exitCode } = await lab.exec(node, ['sha256sum', '--', file])
  return exitCode === 0 ? stdout.slice(0, 64).replace('\\', '') : stderr
}

/** All that a folder of a host holds, and no more. */
async function inFolder(node: string, folder: string): Promise<string[]> {
  const { stdout } = await lab.exec(node, ['find', folder, '-mindepth', '1', '-printf', '%P\n'])
  return stdout === '' ? [] : stdout.split('\n').toSorted()
}

/** Runs what listens on a host while `work` is done, and ends it. */
async function listening<T>(
  node: string,
  argv: string[],
  options: { cwd: string; env?: Record<string, string> },
  work: (server: HostProcess) => Promise<T>,
): Promise<T> {
  const { process: server } = await lab.spawn(node, argv, { ...options, timeoutMs: 150_000 })
  let ended = false
  void server.finally(() => (ended = true))
  try {
    const listens = async () =>
      ended || /\S/.test((await lab.exec(node, ['ss', '-Hltn', `sport = :${PORT}`])).stdout)
    await expect.poll(listens, { timeout: 30_000, interval: 200 }).toBe(true)
    expect(ended, 'it ended before it listened').toBe(false)
    return await work(server)
  } finally {
    server.kill('SIGTERM')
    await server
    const silent = async () => (await lab.exec(node, ['ss', '-Hltn', `sport = :${PORT}`])).stdout
    await expect.poll(silent, { timeout: 10_000 }).toBe('')
  }
}

/** Our receiver on n1, with a new folder; `work` gets the folder. */
async function ours<T>(
  args: string[],
  work: (folder: string, server: HostProcess) => Promise<T>,
): Promise<T> {
  const folder = `/root/in/${Math.random().toString(36).slice(2)}`
  await lab.exec('n1', ['mkdir', '-p', folder])
  const argv = [...RECEIVE, '--dir', folder, ...args]
  return await listening('n1', argv, { cwd: '/root' }, async (server) => await work(folder, server))
}

/** The receiver of npm localsend on n2, in a folder of its own. */
async function npmReceiver<T>(args: string[], work: (folder: string) => Promise<T>): Promise<T> {
  const folder = `/root/in/${Math.random().toString(36).slice(2)}`
  await lab.exec('n2', ['mkdir', '-p', folder])
  const argv = ['node', '/run/lab/localsend.mjs', 'receive', '--autoAccept', '--saveDir', folder, ...args]
  return await listening('n2', argv, { cwd: folder }, async () => await work(folder))
}

/** `share-to-idle` from n1 to n2. */
const share = async (paths: string[], args: string[] = [], env: Record<string, string> = {}) =>
  await just('n1', ['share-to-idle', ...paths, '--target', 'n2', '--via', 'localsend', ...args], env)

describe('npm localsend 0.1.2, over HTTP', () => {
  test('receives from share-to-idle what was sent, byte for byte, names in unicode included', async () => {
    await npmReceiver([], async (folder) => {
      const files = ['file.bin', 'ünïcode 漢字 +&%.txt']
      const ran = await share(
        files.map((name) => `/root/out/${name}`),
        ['--insecure-http', '--json'],
      )
      expect(ran).toMatchObject({ exitCode: 0 })
      for (const name of files)
        await expect
          .poll(async () => await sha256('n2', `${folder}/${name}`), { timeout: 10_000 })
          .toBe(await sha256('n1', `/root/out/${name}`))
      expect(await inFolder('n2', folder)).toEqual(files.toSorted())
    })
  })

  test('is sent nothing without --insecure-http, and the message says so', async () => {
    await npmReceiver([], async (folder) => {
      const ran = await share(['/root/out/file.bin'])
      expect(ran).toMatchObject({ stdout: '', stderr: expect.stringContaining('--insecure-http') })
      expect(ran.exitCode).not.toBe(0)
      expect(await inFolder('n2', folder)).toEqual([])
    })
  })

  test('with a PIN receives from who knows it, and nothing from who does not', async () => {
    await npmReceiver(['--pin', '4711'], async (folder) => {
      for (const pin of [[], ['--pin', '4712']]) {
        const refused = await share(['/root/out/file.bin'], ['--insecure-http', ...pin])
        expect(refused.exitCode).not.toBe(0)
        expect(refused.stderr).toMatch(/\bPIN\b.*--pin/)
        expect(await inFolder('n2', folder)).toEqual([])
      }
      const ran = await share(['/root/out/file.bin'], ['--insecure-http', '--pin', '4711'])
      expect(ran).toMatchObject({ exitCode: 0 })
      await expect
        .poll(async () => await sha256('n2', `${folder}/file.bin`), { timeout: 10_000 })
        .toBe(await sha256('n1', '/root/out/file.bin'))
    })
  })

  const theirs = async (file: string, pin: string) =>
    await lab.exec(
      'n2',
      ['node', '/run/lab/localsend.mjs', 'send', tailnetIp('n1'), file, '--port', PORT, '--pin', pin],
      { cwd: '/root/out' },
    )

  test.for([
    ['without a PIN', []],
    ['with a PIN', ['--pin', '4711']],
  ] as const)('sends to receive --once %s, and the files are equal', async ([, pin]) => {
    for (const file of ['file.bin', 'ünïcode 漢字 +&%.txt', 'empty'])
      await ours(['--once', '--insecure-http', ...pin], async (folder, server) => {
        const sent = await theirs(file, '4711')
        expect(sent.stderr).not.toContain('Failed')
        expect(sent.exitCode).toBe(0)
        expect(await server).toMatchObject({ exitCode: 0 })
        expect(await sha256('n1', `${folder}/${file}`)).toBe(await sha256('n2', `/root/out/${file}`))
        expect(await inFolder('n1', folder)).toEqual([file])
      })
  })

  test('sends a file of more than 50 MiB in pieces, and receive keeps none of them', async () => {
    await lab.exec('n2', ['truncate', '-s', String(LONG_BYTES), '/root/out/long'])
    await ours(['--insecure-http'], async (folder) => {
      const sent = await theirs('long', '4711')
      // Where the answer does not overtake the rest of the piece, it sees the connection end.
      expect(sent.stderr).toMatch(/Status: 500|Error uploading file/)
      expect(sent.exitCode).not.toBe(0)
      expect(await inFolder('n1', folder)).toEqual([])
    })
  })

  test('with a wrong PIN sends nothing to receive', async () => {
    await ours(['--insecure-http', '--pin', '4711'], async (folder) => {
      expect((await theirs('file.bin', '4712')).exitCode).not.toBe(0)
      expect(await inFolder('n1', folder)).toEqual([])
    })
  })
})

describe('localsend-rs 0.1.2, over TLS and without a certificate of its own', () => {
  const theirs = async (args: string[]) =>
    await lab.exec('n2', ['/run/lab/localsend-rs', 'send', tailnetIp('n1'), ...args], { cwd: '/root/out' })

  test.for([
    ['without a PIN', []],
    ['with a PIN', ['--pin', '4711']],
  ] as const)('sends to receive --once %s, and the files are equal', async ([, pin], { skip }) => {
    if ('leftOut' in rust) skip(`localsend-rs is not here: ${rust.leftOut}`)
    await ours(['--once', ...pin], async (folder, server) => {
      const files = ['file.bin', 'ünïcode 漢字 +&%.txt', 'empty']
      const sent = await theirs([...files, ...pin])
      expect(sent).toMatchObject({ exitCode: 0, stderr: '' })
      expect(await server).toMatchObject({ exitCode: 0 })
      for (const file of files)
        expect(await sha256('n1', `${folder}/${file}`)).toBe(await sha256('n2', `/root/out/${file}`))
      expect(await inFolder('n1', folder)).toEqual(files.toSorted())
    })
  })
})

describe('openssl and curl, for the rules of TLS', () => {
  const url = (path: string) => `https://${tailnetIp('n1')}:${PORT}/api/localsend/v2/${path}`
  const quietly = [
    '--silent',
    '--show-error',
    '--insecure',
    '--max-time',
    '20',
    '--write-out',
    '\n%{http_code}',
  ]
  const curl = async (path: string, args: string[] = []) =>
    await lab.exec('n2', ['curl', ...quietly, ...args, url(path)])
  const own = ['--cert', '/root/own.crt', '--key', '/root/own.key']
  const fingerprintOf = async (node: string, certificate: string): Promise<string> => {
    const command = ['openssl', 'x509', '-noout', '-fingerprint', '-sha256']
    const { stdout } = await lab.exec(node, command, { input: certificate })
    return stdout.replace(/^.*=/, '').replaceAll(':', '')
  }
  const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/

  test('our receiver asks for a client certificate, answers with one and without, and shows the one it announces', async () => {
    await ours([], async () => {
      const address = `${tailnetIp('n1')}:${PORT}`
      const { stdout } = await lab.exec('n2', ['openssl', 's_client', '-msg', '-connect', address], {
        timeoutMs: 20_000,
      })
      expect(stdout).toMatch(/<<< .*, CertificateRequest$/m)
      const without = await curl('info')
      expect(without.stdout).toMatch(/\n200$/)
      expect((await curl('info', own)).stdout).toMatch(/\n200$/)
      const announced = z.object({ fingerprint: z.string() }).parse(JSON.parse(without.stdout.slice(0, -4)))
      expect(await fingerprintOf('n2', pem.exec(stdout)?.[0] ?? '')).toBe(announced.fingerprint)
    })
  })

  test('a register counts with the fingerprint of the certificate that came with it, and not with another', async () => {
    const certificate = async (name: string) => (await lab.exec('n2', ['cat', `/root/${name}.crt`])).stdout
    const register = async (fingerprint: string) => {
      const info = { alias: 'x', version: '2.1', deviceModel: null, deviceType: 'desktop', fingerprint }
      const body = JSON.stringify({ ...info, port: 53_317, protocol: 'https', download: false })
      const data = ['--header', 'Content-Type: application/json', '--data', body]
      return (await curl('register', [...own, ...data])).stdout.slice(-3)
    }
    await ours([], async () => {
      expect(await register(await fingerprintOf('n2', await certificate('own')))).toBe('200')
      expect(await register(await fingerprintOf('n2', await certificate('other')))).toMatch(/^4\d\d$/)
    })
  })

  test('a peer that demands a client certificate sees the one that share-to-idle announces', async () => {
    const argv = ['openssl', 's_server', '-accept', PORT, '-Verify', '1']
    const keys = ['-cert', '/root/other.crt', '-key', '/root/other.key']
    const seen = await listening('n2', [...argv, ...keys], { cwd: '/root' }, async (server) => {
      await share(['/root/out/file.bin'], ['--timeout', '3'], { XDG_STATE_HOME: '/root/state-demand' })
      server.kill('SIGTERM')
      return (await server).stdout
    })
    const shown = await fingerprintOf('n2', pem.exec(seen.replace(/^[^]*?Client certificate/, ''))?.[0] ?? '')
    expect(shown).toMatch(/^[0-9A-F]{64}$/)
    expect(/"fingerprint":"(\w+)"/.exec(seen)?.[1]).toBe(shown)
  })

  test('share-to-idle writes nothing to a peer whose certificate is not the remembered one, until --trust-new', async () => {
    const env = { XDG_STATE_HOME: '/root/state-changed' }
    const receive = async (args: string[]) => {
      const argv = [...RECEIVE, '--dir', '/root/in/kept']
      await lab.exec('n2', ['mkdir', '-p', '/root/in/kept'])
      return await listening(
        'n2',
        argv,
        { cwd: '/root' },
        async () => await share(['/root/out/empty'], args, env),
      )
    }
    expect(await receive([])).toMatchObject({ exitCode: 0 })

    const server = [
      'openssl',
      's_server',
      '-msg',
      '-accept',
      PORT,
      '-cert',
      '/root/other.crt',
      '-key',
      '/root/other.key',
    ]
    const [refused, seen] = await listening('n2', server, { cwd: '/root' }, async (impostor) => {
      const ran = await share(['/root/out/file.bin'], ['--pin', '4711'], env)
      impostor.kill('SIGTERM')
      return [ran, (await impostor).stdout] as const
    })
    expect(refused).toMatchObject({ exitCode: 5, stdout: '', stderr: expect.stringContaining('--trust-new') })
    expect(seen).toMatch(/<<< .*, ClientHello$/m)
    expect(seen).not.toMatch(/POST|GET|localsend|4711/i)

    await lab.exec('n2', ['rm', '-rf', '/root/.local/state/resource-sharing'])
    expect(await receive([])).toMatchObject({ exitCode: 5 })
    expect(await receive(['--trust-new'])).toMatchObject({ exitCode: 0 })
    expect(await receive([])).toMatchObject({ exitCode: 0 })
  })
})

describe('names that a sender chooses, written by a client that obeys no rule', () => {
  const Accepted = z.object({ sessionId: z.string(), files: z.record(z.string(), z.string()) })
  const deep = `${'d/'.repeat(3000)}x`
  const KEPT = 'what was here before'
  let sandbox: string
  let folder: string
  let receiver: Awaited<ReturnType<typeof startReceiver>>
  beforeAll(async () => {
    sandbox = await mkdtemp(join(tmpdir(), 'hostile-'))
    // Three levels down, so that `../../x` would still be seen.
    folder = join(sandbox, 'a', 'b', 'in')
    await mkdir(join(folder, 'sub'), { recursive: true })
    await mkdir(join(sandbox, 'outside'))
    await writeFile(join(sandbox, 'outside', 'file'), KEPT)
    for (const name of ['taken.txt', 'sub/taken.txt']) await writeFile(join(folder, name), KEPT)
    await symlink(join(sandbox, 'outside'), join(folder, 'to-folder'))
    await symlink(join(sandbox, 'outside', 'file'), join(folder, 'to-file'))
    await symlink(join(sandbox, 'outside', 'new'), join(folder, 'to-nothing'))
    receiver = await startReceiver(['--dir', folder], {
      HOME: join(sandbox, 'a'),
      XDG_STATE_HOME: join(sandbox, 'state'),
    })
  })
  afterAll(async () => {
    await receiver?.stop()
    if (sandbox) await rm(sandbox, { recursive: true, force: true })
  })

  /** Path → content of each file, and where a symbolic link leads; the receiver's own state left out. */
  async function everything(): Promise<Map<string, string>> {
    const found = new Map<string, string>()
    for (const entry of await readdir(sandbox, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      if (!relative(sandbox, path).startsWith('state') && entry.isFile())
        found.set(relative(sandbox, path), await readFile(path, 'utf8'))
      if (entry.isSymbolicLink()) found.set(relative(sandbox, path), 'a link')
    }
    return found
  }

  /** Sends a file under each name in one session; which of them were taken. */
  async function upload(names: string[]): Promise<string[]> {
    const contents = names.map((_, position) => `${position} ${Math.random()}`)
    const files = names.map((fileName, position) => [
      `f${position}`,
      {
        id: `f${position}`,
        fileName,
        fileType: 'text/plain',
        size: Buffer.byteLength(contents[position] ?? ''),
        sha256: createHash('sha256')
          .update(contents[position] ?? '')
          .digest('hex'),
      },
    ])
    const info = { alias: 'x', version: '2.1', deviceModel: 'x', deviceType: 'desktop', fingerprint: 'x' }
    const prepared = await send(
      receiver.port,
      'POST',
      '/api/localsend/v2/prepare-upload',
      JSON.stringify({
        info: { ...info, port: 53_317, protocol: 'http', download: false },
        files: Object.fromEntries(files),
      }),
    )
    if (prepared.status !== 200) {
      expect([400, 403, 204]).toContain(prepared.status)
      return []
    }
    const accepted = Accepted.parse(JSON.parse(prepared.text))
    const taken: string[] = []
    try {
      for (const [id, token] of Object.entries(accepted.files)) {
        const content = contents[Number(id.slice(1))] ?? ''
        const query = new URLSearchParams({ sessionId: accepted.sessionId, fileId: id, token })
        const path = `/api/localsend/v2/upload?${query.toString()}`
        const { status } = await send(receiver.port, 'POST', path, content)
        expect([200, 403]).toContain(status)
        if (status === 200) taken.push(content)
      }
    } finally {
      await send(receiver.port, 'POST', `/api/localsend/v2/cancel?sessionId=${accepted.sessionId}`)
    }
    return taken
  }

  const names: [string, string[]][] = [
    ['../../x', ['../../x']],
    ['a folder and out of it', ['sub/../../../x']],
    ['the folder above', ['..']],
    ['the folder itself', ['.']],
    ['an ending slash', ['sub/']],
    ['only slashes', ['///']],
    ['an absolute path', ['ABSOLUTE/x']],
    ['dots between slashes', ['././sub/./x']],
    ['empty segments', ['sub//x']],
    ['C:\\x', ['C:\\x']],
    ['..\\..\\x', ['..\\..\\x']],
    ['\\\\server\\share\\x', ['\\\\server\\share\\x']],
    ['NUL', ['nul\0byte.txt']],
    ['NUL after dots', ['..\0/..\0/x']],
    ['newlines', ['line\nanother\r\nthird']],
    ['escape codes', ['\u001B[2J\u001B]0;owned\u0007red\u009B31m']],
    ['writing from right to left', ['safe\u202Egpj.exe']],
    ['300 characters', ['x'.repeat(300)]],
    ['300 characters of two bytes and an ending', [`${'é'.repeat(300)}.tar.gz`]],
    ['a folder of 300 characters', [`${'x'.repeat(300)}/y`]],
    ['3,000 folders', [deep]],
    ['-rf', ['-rf']],
    ['a name that is taken', ['taken.txt']],
    ['a name that is taken in a folder', ['sub/taken.txt']],
    ['a folder of that name', ['sub']],
    ['a file as a folder', ['taken.txt/x']],
    ['a link to a folder outside', ['to-folder/x']],
    ['a link to a folder outside itself', ['to-folder']],
    ['a link to a file outside', ['to-file']],
    ['a link to nothing', ['to-nothing']],
    ['the same name twice', ['twice.txt', 'twice.txt']],
    ['names that differ in case', ['Case.txt', 'CASE.TXT']],
    ['names that differ in normalisation', ['caf\u00E9.txt', 'cafe\u0301.txt']],
    ['a file and a folder of one name', ['both', 'both/x']],
    ['a half of a pair', ['\uD800.txt']],
    ['names of devices', ['CON', 'aux.txt', '/dev/stdout', '/proc/self/mem']],
    ['__proto__', ['__proto__', 'constructor']],
  ]
  test.for(names)('%s stays in the folder and overwrites nothing', async ([, hostile]) => {
    const before = await everything()
    const absolute = hostile.map((name) => name.replace('ABSOLUTE', join(sandbox, 'outside')))
    const taken = await upload(absolute)
    const after = await everything()
    expect(new Map([...after].filter(([path]) => before.has(path)))).toEqual(before)
    const added = [...after].filter(([path]) => !before.has(path))
    for (const [path] of added) {
      expect(path).toMatch(/^a\/b\/in\/./)
      expect(path).not.toMatch(/[\0-\u001F\u007F-\u009F]/)
    }
    expect(added.map(([, content]) => content).toSorted()).toEqual(taken.toSorted())
  })

  test.for([
    ['the same name twice', ['again.txt', 'again.txt']],
    ['names that differ in case', ['Letter.txt', 'LETTER.TXT']],
    ['names that differ in normalisation', ['na\u00EFve', 'nai\u0308ve']],
    ['a name that is taken, a dash, 300 characters', ['taken.txt', '-rf', 'y'.repeat(300)]],
  ] as [string, string[]][])('%s: every file arrives, under a name of its own', async ([, wanted]) => {
    expect(await upload(wanted)).toHaveLength(wanted.length)
  })

  test('unicode is kept byte for byte, and a folder stays a folder', async () => {
    const wanted = ['tree/b\u00FCcher/na\u0308chste 漢字 😀.txt', "tree/it's & $HOME `x` %00 #1?.txt"]
    expect(await upload(wanted)).toHaveLength(2)
    const found = await everything()
    for (const name of wanted) expect([...found.keys()]).toContain(join('a/b/in', name))
  })

  test('what the receiver tells of them holds no control code', () => {
    const { stdout, stderr } = receiver.output
    expect(`${stdout}${stderr}`).not.toMatch(/[\0-\u0008\u000B-\u001F\u007F-\u009F\u202E]/)
    expect(`${stdout}${stderr}`).toContain('taken (1).txt')
  })
})
