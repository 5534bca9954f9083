import pMap from 'p-map'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Kind } from '../lab/controls/persona.ts'
import { openLab, type Lab } from '../lab/lab.ts'

// What each recipe does with each kind of machine that people have. `npx vitest run --project lab machines -u` writes
// docs/machines.md anew.

type Machine = {
  kind: Kind
  title: string
  /** Where people log in as root; elsewhere it is a user with sudo. */
  root?: true
  /** There is no Node for it, or it is a stand-in that could not run one. */
  onlyAsked?: true
}

const MACHINES: readonly Machine[] = [
  { kind: 'debian', title: 'Debian' },
  { kind: 'alpine', title: 'Alpine: all of BusyBox, no GNU tools', root: true, onlyAsked: true },
  { kind: 'openwrt', title: 'OpenWrt: its few applets of BusyBox', root: true, onlyAsked: true },
  { kind: 'mac', title: 'macOS (stand-in)', onlyAsked: true },
  { kind: 'freebsd', title: 'FreeBSD (stand-in)', onlyAsked: true },
  { kind: 'openbsd', title: 'OpenBSD (stand-in)', onlyAsked: true },
  { kind: 'fish', title: 'login shell fish' },
  { kind: 'zsh', title: 'login shell zsh' },
  { kind: 'tcsh', title: 'login shell tcsh' },
  { kind: 'hidden-pids', title: '/proc with hidepid=2' },
  { kind: 'no-proc', title: 'no /proc' },
  { kind: 'read-only-home', title: 'home that is read-only' },
  { kind: 'quota', title: 'container with half a CPU' },
  { kind: 'no-sudo', title: 'user without sudo' },
  { kind: 'ipv6-only', title: 'IPv6 only' },
]

let lab: Lab
/** What mesh-balance says when all of them are asked at once. */
let mesh: { name: string; trit?: number; reason?: string; outcome: string }[] = []
const nodeOf = ({ kind }: Machine) => `n${MACHINES.findIndex((each) => each.kind === kind) + 2}`
const OPERATOR = { user: 'operator', cwd: '/home/operator', timeoutMs: 120_000 } as const

/** A recipe on n1, whose mesh are all these machines. */
async function just(args: string[], more: Record<string, string> = {}) {
  const env = { RESOURCE_SHARING_HOSTS: MACHINES.map(({ kind }) => kind).join(','), ...more }
  return await lab.exec('n1', ['just', '--justfile', '/srv/resource-sharing/justfile', ...args], {
    ...OPERATOR,
    env,
  })
}

type Ran = Awaited<ReturnType<typeof just>>

/** Why it did not do what it was asked for, in its own words; undefined where it did. */
function whyNot({ exitCode, stdout, stderr }: Ran, ...more: boolean[]): string | undefined {
  if (exitCode === 0 && more.every(Boolean)) return undefined
  const said = (stderr.trim() || stdout)
    .replace(/^\w{6}: (?:queued|failed): /, '')
    .replaceAll(/\bPID \d+/g, 'PID N')
    .replaceAll(/\d+\.\d+\.\d+\.\d+|fd00::\w+/g, 'ADDRESS')
    .trim()
  return said.split('\n').at(-1) || `exit code ${exitCode}, without a word`
}

type Recipe = { title: string; ask: (machine: Machine) => Promise<string | undefined> }

const RECIPES: readonly Recipe[] = [
  {
    title: 'mesh-balance',
    ask: async ({ kind }) => {
      const node = mesh.find(({ name }) => name === kind)
      return node?.trit === undefined ? `${node?.outcome}: ${node?.reason}` : undefined
    },
  },
  {
    title: 'scum-view',
    ask: async ({ kind }) => {
      const ran = await just(['scum-view', '--host', kind])
      return ran.stderr === '' ? whyNot(ran, /^ *PID/m.test(ran.stdout)) : whyNot({ ...ran, exitCode: 1 })
    },
  },
  {
    title: 'offload',
    ask: async ({ kind }) => {
      const command = ['sh', '-c', `cat sent >back-${kind}; uname -n`]
      const files = ['--send', 'sent', '--return', `back-${kind}`]
      const ran = await just(['offload', '--target', kind, ...files, ...command])
      const back = await lab.exec('n1', ['cat', `back-${kind}`], OPERATOR)
      return whyNot(ran, back.stdout === 'content')
    },
  },
  {
    title: 'a queued job',
    ask: async ({ kind }) => {
      // Rows are tried side by side, and who looks at jobs looks at all that are in one's spool.
      const spool = { XDG_STATE_HOME: `/tmp/${kind}` }
      const { stdout: id } = await just(['enqueue', '-q', 'sh', '-c', 'sleep 1; exit 3'], spool)
      const started = await just(['jobs', 'start', id, '--target', kind], spool)
      if (started.exitCode !== 0) return whyNot(started)
      const job = async (): Promise<string> => {
        const { jobs }: { jobs: { id: string; state: string; exitCode?: number }[] } = JSON.parse(
          (await just(['jobs', '--json'], spool)).stdout,
        )
        const found = jobs.find((each) => each.id === id)
        return `${found?.state} ${found?.exitCode}`
      }
      await expect.poll(job, { interval: 500 }).not.toMatch(/^(?:running|sending)/)
      const end = await job()
      return end === 'done 3' ? undefined : end
    },
  },
  {
    title: 'share by ssh',
    ask: async ({ kind }) => {
      const ran = await just([
        'share-to-idle',
        'folder',
        '--via',
        'ssh',
        '--target',
        kind,
        '--dest',
        '/tmp/got/',
      ])
      const node = nodeOf({ kind, title: '' })
      const got = await lab.exec(node, ['/bin/sh', '-c', 'read -r line </tmp/got/folder/file; echo "$line"'])
      return whyNot(ran, got.stdout === 'content')
    },
  },
  {
    title: 'migrate-scum to it',
    ask: async ({ kind }) => {
      const { stdout: pid } = await lab.exec('n1', ['cat', 'counter.pid'], OPERATOR)
      return whyNot(await just(['migrate-scum', pid, '--target', kind, '--copy-files', '--dry-run']))
    },
  },
  {
    title: 'run on it',
    ask: async (machine) => {
      if (machine.onlyAsked) return '–'
      const run = async (...args: string[]) =>
        await lab.exec(nodeOf(machine), ['just', '--justfile', '/srv/resource-sharing/justfile', ...args], {
          ...OPERATOR,
          cwd: '/',
        })
      return whyNot(await run('node-trit', '--quiet')) ?? whyNot(await run('mesh-balance', '--quiet'))
    },
  },
]

beforeAll(async () => {
  lab = await openLab({ instance: 'machines', hosts: MACHINES.length + 1, tailnet: false })
  const hosts = MACHINES.map(({ kind }, index) => {
    const address = lab.nodes[index + 1]?.lanIp ?? ''
    return `${kind === 'ipv6-only' ? `fd00::${address.split('.').at(-1)}` : address} ${kind}`
  })
  const config = MACHINES.filter(({ root }) => root).map(({ kind }) => `Host ${kind}\n  User root`)
  await lab.exec('n1', ['sh', '-c', 'cat >>/etc/hosts; ip addr add fd00::1/64 dev eth0 nodad'], {
    input: `${hosts.join('\n')}\n`,
  })
  const prepare = `printf '%s' "$1" >.ssh/config; echo content >sent; mkdir folder; echo content >folder/file
    ssh-keyscan $2 >.ssh/known_hosts 2>/dev/null
    for each in /proc/$$/fd/*; do each=\${each##*/}; [ "$each" -le 2 ] || eval "exec $each>&-"; done
    setsid python3 -c 'import time
while True: time.sleep(0.1)' </dev/null >/dev/null 2>&1 & echo $! >counter.pid`
  const names = MACHINES.map(({ kind }) => kind).join(' ')
  await pMap(MACHINES, async (machine) => await lab.become(nodeOf(machine), machine.kind), { concurrency: 4 })
  await lab.exec('n1', ['bash', '-c', prepare, 'bash', config.join('\n'), names], OPERATOR)
})
afterAll(() => lab?.close())

/** A cell is a tick, or the number of what is said below the table. */
async function table(): Promise<string> {
  const answers = await pMap(
    MACHINES,
    async (machine) => {
      const name = new RegExp(String.raw`\b${machine.kind}\b`, 'g')
      const cells: (string | undefined)[] = []
      for (const { ask } of RECIPES)
        cells.push((await ask(machine))?.replaceAll(name, 'HOST').replace(/^HOST: /, ''))
      return { machine, cells }
    },
    { concurrency: 3 },
  )
  const said = [
    ...new Set(answers.flatMap(({ cells }) => cells.filter((words) => words !== undefined && words !== '–'))),
  ]
  const rows = answers.map(({ machine, cells }) => {
    const shown = cells.map((words = '✓') => (said.includes(words) ? String(said.indexOf(words) + 1) : words))
    return `| ${[machine.title, ...shown].join(' | ')} |`
  })
  return [
    '# Kinds of machines, and what works with them',
    '',
    'Asked from a Debian machine, over ssh. `test/scripts/machines.lab.test.ts` tries each of them and writes this: a number',
    'is what is said there, below the table, and a dash what is not tried.',
    '',
    `| machine | ${RECIPES.map(({ title }) => title).join(' | ')} |`,
    `| --- | ${RECIPES.map(() => '---').join(' | ')} |`,
    ...rows,
    '',
    ...said.map((words, index) => `${index + 1}. ${words?.replaceAll(/[<>|]/g, String.raw`\$&`)}`),
    '',
  ].join('\n')
}

test('asked all at once, each kind has its outcome within the time', async () => {
  const began = performance.now()
  const ran = await just(['mesh-balance', '--json', '--timeout', '20'])
  expect(performance.now() - began).toBeLessThan(21_000)
  ;({ nodes: mesh } = JSON.parse(ran.stdout))
  expect(mesh.filter(({ trit }) => trit === undefined)).toEqual([
    expect.objectContaining({ name: 'no-proc', outcome: 'bad-output' }),
  ])
})

test('each recipe does with each kind of machine what docs/machines.md says', async () => {
  await expect(await table()).toMatchFileSnapshot('../../docs/machines.md')
})
