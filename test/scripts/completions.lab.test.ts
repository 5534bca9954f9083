import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openLab, type Lab } from '../lab/lab.ts'

// What a hostile name would do where a shell or a terminal took it for more than text. Every file that it makes is here.
const MARK = '/tmp/was-run'
const HOSTILE = `$(touch ${MARK}1)\`touch ${MARK}2\`; touch ${MARK}3 'x" %F{red} \\n\u001b[31m\n\ttouch ${MARK}4 \\`

const ROOT = '/srv/resource-sharing'
const JUSTFILE = `${ROOT}/justfile`
const STATE = '/root/.local/state/resource-sharing'
const [OPEN, PAST] = ['abcdefabcdef', '0123456789ab']

const SHELLS = {
  bash: ['bash', '--norc'],
  zsh: ['zsh', '-f'],
  fish: ['fish', '--no-config'],
} as const
type Shell = keyof typeof SHELLS
const EACH = ['bash', 'zsh', 'fish'] as const satisfies Shell[]

let lab: Lab
let job = ''
beforeAll(async () => {
  lab = await openLab({ instance: 'completions', hosts: 1, tailnet: false })
  const queued = await lab.exec(
    'n1',
    ['node', 'cli/start.mjs', 'scripts/enqueue.ts', '--name', HOSTILE, '-q', 'true'],
    { cwd: ROOT },
  )
  job = queued.stdout
  const ended = { at: '2026-01-01T00:00:00.000Z', from: 'n1', to: HOSTILE, pid: 1, command: HOSTILE }
  await write(
    `${STATE}/migrations/history.jsonl`,
    JSON.stringify({ ...ended, id: PAST, outcome: 'moved', detail: '' }),
  )
  await write(`${STATE}/migrations/${OPEN}/plan.json`, JSON.stringify(plan))
  // As fish offers them, and as a person's folder has them.
  const foreign = `x := \`touch ${MARK}5\`\nbuild:\n    touch ${MARK}6\n`
  await write('/tmp/other/justfile', foreign)
  await write('/tmp/none/file.txt', '')
})
afterAll(async () => await lab.close())

const plan = {
  version: 1,
  id: OPEN,
  source: { name: 'n1' },
  target: { name: 'n2' },
  process: {
    pid: 1,
    start: '1',
    boot: '00000000-0000-0000-0000-000000000000.1',
    command: HOSTILE,
    tasks: 1,
    rssBytes: 1,
  },
  cpu: 1,
  via: 'ssh',
  ship: [],
  folders: [],
  known: [],
  changes: [],
  keepImages: false,
  named: true,
}

async function write(path: string, text: string): Promise<void> {
  const made = await lab.exec('n1', ['sh', '-c', 'mkdir -p "${1%/*}" && cat >"$1"', 'sh', path], {
    input: text,
  })
  expect(made.exitCode).toBe(0)
}

type Setting = { cwd?: string; before?: string; flags?: string[] }

/** What a Tab at the end of a line offers; and nothing was run for that. */
async function tab(shell: Shell, line: string, { cwd = ROOT, before = '', flags = [] }: Setting = {}) {
  const argv = [...SHELLS[shell], `${ROOT}/test/cli/tab.${shell}`, line, ...flags]
  const env = { ROOT, BEFORE: before, RESOURCE_SHARING_HOSTS: 'n2.lan,n3.lan', TERM: 'dumb' }
  const { stdout, stderr } = await lab.exec('n1', argv, { cwd, env })
  expect(stderr).toBe('')
  const marks = await lab.exec('n1', ['sh', '-c', `ls ${MARK}*`])
  expect(marks.stdout).toBe('')
  const lines = stdout.split('\n').filter((each) => each !== '' && !each.startsWith('('))
  const values = lines.map((each) => each.split('\t')[0] ?? '')
  return { values: values.toSorted(), stdout }
}

describe.each(EACH)('%s', (shell) => {
  test.each([
    ['just doctor ', ['n1', 'n2.lan', 'n3.lan']],
    ['just find-minus --exclude n1,', ['n1,n2.lan', 'n1,n3.lan']],
    ['just migrate-scum ', ['n1:', 'n2.lan:', 'n3.lan:']],
    ['just migrate-recover ', [OPEN]],
    ['just migrations ', [PAST, OPEN]],
    ['just scum-kill ', []],
    ['just find-mi', ['find-minus']],
  ])('completes "%s" to %j', async (line, values) => {
    expect((await tab(shell, line)).values).toEqual(values)
  })

  test('completes the id of a job whose name would be run by a shell, and runs nothing', async () => {
    expect((await tab(shell, 'just jobs forget ')).values).toEqual([job])
    // A value behind its flag is one word, which bash has in three.
    const { values } = await tab(shell, 'just migrate-scum --via=t')
    expect(values).toEqual([shell === 'bash' ? 'taildrop' : '--via=taildrop'])
  })

  test('a machine whose name would be run by a shell is not offered', async () => {
    const name = '/proc/sys/kernel/hostname'
    await write(name, `$(touch ${MARK}7)`)
    try {
      expect((await tab(shell, 'just doctor ')).values).toEqual(['n2.lan', 'n3.lan'])
    } finally {
      await write(name, 'n1')
    }
  })

  test('names of files are offered where a file is meant, also behind its flag', async () => {
    for (const line of ['just share-to-idle READ', 'just cron-install --log=READ']) {
      const { values, stdout } = await tab(shell, line)
      if (shell === 'bash') expect(stdout).toBe('(default)')
      else expect(values.at(-1)).toMatch(/README\.md$/)
    }
  })

  test('in a folder with another justfile, what just offers, and nothing of ours', async () => {
    const before = `export PATH=${ROOT}/node_modules/rust-just-linux-x64/bin:"$PATH"`
    const { values } = await tab(shell, 'just ', { cwd: '/tmp/other', before })
    expect(values).toContain('build')
    expect(values).not.toContain('doctor')
    expect((await tab(shell, 'just bu', { cwd: '/tmp/other', before })).values).toEqual(['build'])
    for (const line of ['just migrate-recover ', 'just doctor ', 'just -f /tmp/other/justfile jobs log '])
      expect((await tab(shell, line, { cwd: '/tmp/other', before })).values).not.toContain(
        line.includes('recover') ? OPEN : line.includes('doctor') ? 'n2.lan' : job,
      )
    expect((await tab(shell, 'just -f /tmp/other/justfile bu', { before })).values).toEqual(['build'])
  })

  test('the just of the npm package, which answers with a script, breaks no line in another folder', async () => {
    for (const cwd of ['/tmp/other', '/tmp/none'])
      for (const value of (await tab(shell, 'just x', { cwd })).values) expect(value).toMatch(/^[\w.=-]+$/)
  })

  test('this justfile is meant by --justfile and by an alias from everywhere, and by an alias for just alone it is not', async () => {
    const cwd = '/tmp/other'
    const alias = `alias rs='just --justfile ${JUSTFILE}'; alias j=just`
    for (const line of [
      `just --justfile ${JUSTFILE} migrate-recover `,
      `just --justfile=${JUSTFILE} migrate-recover `,
    ])
      expect((await tab(shell, line, { cwd })).values).toEqual([OPEN])
    const flags = ['--command', 'rs']
    expect((await tab(shell, 'rs migrate-recover ', { cwd, before: alias, flags })).values).toEqual([OPEN])
    const j = await tab(shell, 'j migrate-recover ', { cwd, before: alias, flags: ['--command', 'j'] })
    expect(j.values).not.toContain(OPEN)
  })
})

test.each([
  ['bash', 'old() { COMPREPLY=(before); }; complete -o nosort -F old just'],
  ['zsh', 'old() { compadd before }; compdef old just'],
] as const)('%s: what completed just before is asked in other folders', async (shell, before) => {
  expect((await tab(shell, 'just ', { cwd: '/tmp/other', before })).values).toEqual(['before'])
  expect((await tab(shell, 'just migrate-recover ', { before })).values).toEqual([OPEN])
})
