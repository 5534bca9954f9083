import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { repositoryInside } from '../lab/layout.ts'
import { openLab, type Lab } from '../lab/lab.ts'
import { Pane, type PaneOptions } from '../pane.ts'
import { rounds } from '../rounds.ts'

const HOSTS = ['n1', 'n2', 'n3', 'n4'] as const
const POLL = { timeout: 30_000, interval: 250 }

let lab: Lab
const panes: Pane[] = []
beforeAll(async () => {
  lab = await openLab({ instance: 'watch', hosts: HOSTS.length })
  for (const host of HOSTS) await lab.setCpus(host, 2)
  await usualLoads()
})
const usualLoads = async () => {
  for (const host of HOSTS) await lab.setLoad(host, host === 'n1' ? 1 : 0)
}
afterEach(async () => {
  await usualLoads()
  for (const pane of panes.splice(0)) await pane.close()
})
afterAll(() => lab?.close())

const sh = async (host: string, text: string) => (await lab.exec(host, ['bash', '-c', text])).stdout.trim()

/** A terminal in which somebody watches; without `until`, until all machines have a row. */
async function watching(options: PaneOptions & { flags?: string } = {}): Promise<Pane> {
  const pane = await Pane.open(lab, 'n1', options)
  panes.push(pane)
  await pane.run(`just watch ${options.flags ?? ''}; echo "status $?"`)
  return pane
}

/** Where screens are kept, for the pictures of README and docs/watch-screen.md: see tools/terminal-picture.ts. */
const PICTURES = process.env['WATCH_PICTURES']
let pictures = 0
/** @param pressed what a person has pressed to see it: it stands below the screen then */
async function picture(pane: Pane, { name = 'story', pressed }: { name?: string; pressed?: string } = {}) {
  if (PICTURES === undefined) return
  const file = join(PICTURES, `${name}-${String((pictures += 1)).padStart(2, '0')}.ansi`)
  const below = pressed === undefined ? '' : `\n\u001B[36mpressed: ${pressed}\u001B[39m\n`
  await writeFile(file, `${(await pane.screen(true)).trimEnd()}\n${below}`)
}

const ROWS = /n4 +-1 MINUS/

/** No ssh of who watched is left, and no loop where it asked; the last ends two rounds later at the latest. */
async function nothingIsLeft() {
  const left = async () => {
    const here = await sh('n1', "pgrep -a '^(ssh|node)$'")
    const there = await Promise.all(HOSTS.map(async (host) => await sh(host, "pgrep -af '[r]ead -r RS'")))
    return [here, ...there].filter((text) => text !== '')
  }
  await expect.poll(left, POLL).toEqual([])
}

/** The loops that answer, on any of the machines. */
const loops = async () =>
  (await Promise.all(HOSTS.map(async (host) => await sh(host, "pgrep -af '[r]ead -r RS'")))).join('')

/** A process that is busy, and its PID. */
async function busy(host: string): Promise<number> {
  const program = '/srv/resource-sharing/test/workloads/half-a-cpu.py'
  // Of what the lab's own shell has open nothing goes along: a pipe to another process can't move.
  const start = `import os; os.closerange(3, 256); os.execvp("python3", ["python3", "${program}"])`
  const run = `setsid python3 -c '${start}' </dev/null >/dev/null 2>&1 & echo $!`
  const pid = Number(await sh(host, run))
  await expect.poll(async () => await sh(host, `cat /proc/${pid}/comm`), POLL).toBe('python3')
  return pid
}

test('two machines become loaded, one vanishes and comes back, a process is found, moved, held and ended', async () => {
  const pid = await busy('n2')
  const pane = await watching()
  const first = await pane.waitFor(/Σ = -3: ≡ 0 \(mod 3\), the invariant holds/)
  expect(first).toMatch(/n1 \* +0 ERGODIC +0\.50/)
  await picture(pane)

  await lab.setLoad('n2', 1.9)
  await lab.setLoad('n3', 1.8)
  const loaded = await pane.waitFor(/n2 +\+1 PLUS +0\.95 [^]*n3 +\+1 PLUS +0\.90/)
  expect(loaded).toMatch(/Σ = \+1: ≡ 1 \(mod 3\), the invariant does not hold/)
  expect(loaded).toMatch(/Rule 1: migrate work from PLUS to MINUS nodes: n2 -> n4/)
  // Who keeps it busy stands in its row.
  await pane.waitFor(/n2 .*python3 +\d+%/)
  await picture(pane)

  await lab.linkDown('n3')
  await pane.waitFor(/n3 +\+1 PLUS .* s ago/)
  await picture(pane)
  await pane.waitFor(/n3 +(?:timeout|unreachable|offline): .*; ratio 0\.90 \d+ s ago/)
  await pane.waitFor(/Σ = 0: ≡ 0 \(mod 3\)/)
  await picture(pane)
  await lab.linkUp('n3')
  await pane.waitFor(/n3 +\+1 PLUS +0\.90/)
  await picture(pane)

  await pane.type('/n2')
  await pane.press('Enter', 'Enter')
  await pane.waitFor(new RegExp(`> +${pid} root +python3 .*\\d\\.\\d\\d\\+0\\.00\\+0\\.00`))
  await picture(pane)
  await pane.press('m')
  await pane.waitFor(`Move PID ${pid} (python3) to n4? [y/N]`)
  await picture(pane)
  await pane.press('y')
  await pane.waitFor(/moved to n4, stood still for \d/)
  await picture(pane)
  await pane.press('Escape', 'Escape')
  await pane.type('/n4')
  await pane.press('Enter', 'Enter')
  // It is seen to arrive.
  await pane.waitFor(new RegExp(`> +${pid} root +python3`))
  expect(await sh('n4', `cat /proc/${pid}/comm`)).toBe('python3')
  await picture(pane)

  await pane.press('t')
  await pane.waitFor(`Throttle PID ${pid} (python3) on n4? [y/N]`)
  await pane.press('y')
  await pane.waitFor(/(?:held to 50 % of a CPU|slowed down) by/)
  await picture(pane)
  await pane.press('x')
  await pane.waitFor(`End ${pid} (python3) on n4? [y/N]`)
  await pane.press('n')
  await pane.waitFor('Esc back')
  await pane.press('x')
  await pane.waitFor(`End ${pid} (python3) on n4? [y/N]`)
  await pane.press('y')
  await pane.waitFor(new RegExp(`kill PID ${pid} .*: (?:ended|killed)`))
  await expect.poll(async () => await sh('n4', `cat /proc/${pid}/comm 2>&1`), POLL).toContain('No such file')
  await pane.press('q')
  await pane.waitFor('status 0')
  await nothingIsLeft()
})

test('a machine that goes offline says so, comes back by itself, and goes when it is logged out', async () => {
  const pane = await watching()
  await pane.waitFor(ROWS)
  await lab.tailscaledStop('n4')
  await pane.waitFor(/n4 +offline: .*; ratio 0\.00 \d+ s ago/)
  await lab.tailscaledStart('n4')
  await pane.waitFor(ROWS)
  await lab.logout('n4')
  // Logged out, it can't take part: its row goes.
  const without = await pane.waitFor(/1 left out/)
  expect(without).not.toMatch(/^[> ] n4/m)
  await lab.tailscaleUp('n4')
  await pane.waitFor(ROWS)
  await pane.press('q')
  await pane.waitFor('status 0')
  await nothingIsLeft()
})

// That of the recipe: just has one of its own, where it came with npm.
const node = "pgrep -f '[s]cripts/watch.ts'"
/** In the recipe, and not in the node that just has come with. */
const DEFECT = `import { existsSync } from 'node:fs'
if (process.argv.includes('scripts/watch.ts'))
  setInterval(() => { if (existsSync('/tmp/defect')) throw Error('boom') }, 200).unref()`
test.each<{
  way: string
  end: (pane: Pane) => Promise<unknown>
  status: string
  env?: Record<string, string>
}>([
  { way: 'q', end: (pane) => pane.press('q'), status: 'status 0' },
  { way: 'Ctrl-C', end: (pane) => pane.press('C-c'), status: 'status 130' },
  { way: 'SIGTERM', end: () => sh('n1', `kill -TERM $(${node})`), status: 'status 130' },
  { way: 'SIGHUP', end: () => sh('n1', `kill -HUP $(${node})`), status: 'status 130' },
  {
    way: 'a defect',
    end: async () => await sh('n1', 'touch /tmp/defect'),
    status: 'boom[^]*status 1',
    env: {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(DEFECT)}`,
    },
  },
])('after $way the terminal is as before, and nothing runs on', async ({ end, status, env = {} }) => {
  const pane = await Pane.open(lab, 'n1', { env })
  panes.push(pane)
  const before = await pane.modes()
  await pane.run('just watch; echo "status $?"')
  await pane.waitFor(ROWS)
  expect(await pane.modes()).toMatch(/alternate_on=1 cursor_flag=0 wrap_flag=0 mouse_any_flag=1/)
  await end(pane)
  const after = await pane.waitFor(new RegExp(`${status}\\n+prompt> *$`, 'm'))
  await sh('n1', 'rm -f /tmp/defect')
  // What was on the screen is gone, and what was there before is there again.
  expect(after).toContain('just watch')
  expect(after).not.toMatch(ROWS)
  // The shell sets its own a moment after it is shown again.
  await expect.poll(async () => await pane.modes(), POLL).toBe(before)
  await nothingIsLeft()
})

test('a terminal that is closed, and a program that is killed, leave nothing', async () => {
  for (let round = 0; round < rounds(1); round += 1) {
    const closed = await watching()
    await closed.waitFor(ROWS)
    await closed.close()
    panes.splice(0)
    await nothingIsLeft()
    const killed = await watching()
    await killed.waitFor(ROWS)
    await sh('n1', `kill -KILL $(${node})`)
    await expect.poll(loops, POLL).toBe('')
    // Connections are kept for a minute, for whoever comes next.
    await sh('n1', 'pkill -x ssh')
    await killed.close()
    panes.splice(0)
  }
})

test('stopped by Ctrl-Z it gives the terminal back, and goes on where it was', async () => {
  const pane = await Pane.open(lab, 'n1')
  panes.push(pane)
  const before = await pane.modes()
  await pane.run('just watch')
  await pane.waitFor(ROWS)
  await pane.press('j', 'C-z')
  await pane.waitFor('Stopped')
  expect((await pane.modes()).replace(/ \S+$/, '')).toBe(before.replace(/ \S+$/, ''))
  // Nobody asks meanwhile, and the loops end.
  await expect.poll(loops, POLL).toBe('')
  await pane.run('fg')
  await pane.waitFor(ROWS)
  await expect.poll(loops, POLL).not.toBe('')
  await vi.waitUntil(async () => !(await pane.screen()).includes('s ago'), POLL)
  await pane.press('q')
  await pane.waitFor('prompt>')
  // The shell sets its own a moment after it is shown again.
  await expect.poll(async () => await pane.modes(), POLL).toBe(before)
  await nothingIsLeft()
})

test('a screen of any size: 20 by 5 and back, and of 60 columns with all that matters', async () => {
  const pane = await watching({ columns: 60, rows: 20 })
  expect(await pane.waitFor(ROWS)).toMatch(/n1 \* +0 ERGODIC +0\.50 ████░░░░/)
  await pane.resize(20, 5)
  const small = (await pane.waitFor(/^> n1 \* +0 +0\.50/m)).split('\n')
  expect(small).toHaveLength(5)
  expect(Math.max(...small.map((line) => line.length))).toBeLessThanOrEqual(20)
  await pane.press('?')
  await pane.waitFor('Keys')
  await pane.press('?')
  await pane.resize(100, 30)
  expect(await pane.waitFor(/RATIO/)).toMatch(ROWS)
  await pane.press('q')
  await pane.waitFor('status 0')
})

test('what other machines say can not set a title, colour a line or move the cursor', async () => {
  const evil = String.raw`\033[2J\033]0;owned\007\033[31mred\033[5A`
  await sh(
    'n2',
    `mkdir -p /var/lib/resource-sharing/receiver && printf '${evil}\\n' >/var/lib/resource-sharing/receiver/closed`,
  )
  // The kernel takes 15 bytes of it: no more is needed to clear a screen.
  const spin = `printf '${evil}' >/proc/$$/comm; echo $$ >/run/spinner; while :; do :; done`
  const { process: spinner } = await lab.spawn('n2', ['bash', '-c', spin])
  const pane = await watching({ columns: 140 })
  const before = (await pane.modes()).replace(/ \S+$/, '')
  await pane.record('/tmp/recorded')
  const screen = await pane.waitFor(/n2 .*closed: red/)
  expect(screen).toMatch(/Σ = /)
  await pane.type('/n2')
  await pane.press('Enter', 'Enter')
  const page = await pane.waitFor(new RegExp(`^> +${await sh('n2', 'cat /run/spinner')} root `, 'm'))
  expect(page).toMatch(/n2: .*\n.*closed: red/)
  await pane.press('q')
  await pane.waitFor('status 0')
  expect(before).toContain('pane_title=')
  expect(await sh('n1', 'cat /tmp/recorded')).not.toContain('owned')
  expect(await sh('n1', String.raw`grep -c $'\e]0' /tmp/recorded`)).toBe('0')
  spinner.kill('SIGKILL')
  await sh('n2', 'rm -f /var/lib/resource-sharing/receiver/closed')
})

/** What a terminal was told, byte for byte, since this was asked for. */
async function recorded(pane: Pane): Promise<() => Promise<string>> {
  const file = `/run/recorded-${randomBytes(4).toString('hex')}`
  await pane.record(file)
  return async () => (await lab.exec('n1', ['cat', file])).stdout
}

/** The codes of "select graphic rendition" in what a terminal was told. */
const renditions = (told: string) =>
  new Set([...told.matchAll(/\u001B\[([\d;:]*)m/g)].flatMap(([, codes = '']) => (codes || '0').split(';')))
/** Bold, dim, inverse, and their ends. Where no colours are wanted there is nothing but the end of all. */
const MARKS = ['0', '1', '2', '7', '22', '27']
/** Red, green, yellow, magenta and cyan as the terminal has them, and its own: no background, and neither black nor white. */
const OWN_COLOURS = ['31', '32', '33', '35', '36', '39']

test.each([
  { what: 'NO_COLOR', name: 'no-color', env: { NO_COLOR: '1' }, allowed: ['0'] },
  {
    what: '256 colours',
    name: '256-colours',
    env: { TERM: 'tmux-256color' },
    allowed: [...MARKS, ...OWN_COLOURS],
  },
  { what: '16 colours', name: '16-colours', env: { TERM: 'xterm' }, allowed: [...MARKS, ...OWN_COLOURS] },
  {
    what: '16 million colours',
    name: 'all-colours',
    env: { COLORTERM: 'truecolor' },
    allowed: [...MARKS, ...OWN_COLOURS],
  },
])('with $what nothing but its codes is written, on any page', async ({ name, env, allowed }) => {
  await sh('n3', 'cd /srv/resource-sharing && just close mine tonight')
  await lab.setLoad('n2', 1.9)
  const pid = await busy('n2')
  const pane = await Pane.open(lab, 'n1', { env, rows: 12 })
  panes.push(pane)
  const told = await recorded(pane)
  await pane.run('just watch; echo "status $?"')
  await pane.waitFor(/n2 +\+1 PLUS [^]*n3 .*closed: mine[^]*n4 +-1 MINUS/)
  // Machines and their trits are told apart by words too.
  await pane.waitFor(/n2 .*python3 +\d+%/)
  await picture(pane, { name })
  await pane.press('Enter')
  await pane.waitFor(new RegExp(`> +${pid} root +python3`))
  await pane.press('x')
  await pane.waitFor('[y/N]')
  await pane.press('n', '?')
  await pane.waitFor('Keys')
  await pane.press('?', 'q')
  await pane.waitFor('status 0')
  const codes = renditions(await told())
  expect([...codes].filter((code) => !allowed.includes(code))).toEqual([])
  expect(codes.has('32')).toBe(allowed.includes('32'))
  await sh('n3', 'cd /srv/resource-sharing && just open')
  await sh('n2', `kill -KILL ${pid}`)
})

test('all of it can be done by keys, without a mouse', async () => {
  const pid = await busy('n2')
  await lab.setLoad('n2', 1.9)
  const pane = await watching({ rows: 18 })
  await pane.waitFor(/n2 +\+1 PLUS [^]*n4 +-1 MINUS/)
  await pane.press('?')
  await pane.waitFor('Keys')
  await picture(pane, { name: 'keys', pressed: '?' })
  await pane.press('?', 'Down', 'Up', 'Enter')
  await pane.waitFor(new RegExp(`> +${pid} root +python3`))
  await picture(pane, { name: 'keys', pressed: '?  Down  Up  Enter' })
  await pane.press('t')
  await pane.waitFor(`Throttle PID ${pid} (python3) on n2? [y/N]`)
  await picture(pane, { name: 'keys', pressed: 't' })
  await pane.press('y')
  await pane.waitFor(/(?:held to 50 % of a CPU|slowed down) by/)
  await picture(pane, { name: 'keys', pressed: 'y' })
  await pane.press('Escape', 's')
  await pane.waitFor(/sorted by name[^]*n1 [^]*n2 [^]*n3 [^]*n4 /)
  await pane.type('/n3')
  await pane.press('Enter')
  expect(await pane.waitFor(/1 match "n3"/)).toMatch(/^> n3 /m)
  await picture(pane, { name: 'keys', pressed: 'Esc  s  /n3  Enter' })
  await pane.press('q')
  await pane.waitFor('status 0')
  await sh('n2', `kill -KILL ${pid}`)
})

test.each([
  { what: 'a terminal that can nothing', name: 'dumb', env: { TERM: 'dumb' }, flags: '' },
  { what: '--lines', name: 'lines', env: {}, flags: '--lines' },
])('$what gets a line a change, and no code at all', async ({ name, env, flags }) => {
  const pane = await Pane.open(lab, 'n1', { env })
  panes.push(pane)
  const told = await recorded(pane)
  await pane.run(`just watch ${flags}`)
  await pane.waitFor(/\d\d:\d\d:\d\d Σ = -3, the invariant holds; rule 2/)
  await lab.setLoad('n4', 1.9)
  await pane.waitFor(/\d\d:\d\d:\d\d n4: \+1 PLUS, ratio 0\.95/)
  expect(await pane.modes()).toContain('alternate_on=0')
  await picture(pane, { name })
  await pane.press('C-c')
  await pane.waitFor('interrupted')
  // What stands before it, and after the key, is the shell's.
  const lines = /\d\d:\d\d:\d\d .*\^C/s.exec(await told())?.[0]
  expect(lines).toContain('n4: +1 PLUS')
  expect(lines).not.toContain('\u001B')
  await nothingIsLeft()
})

test('who has read enough ends it: documents a line, and nothing runs on', async () => {
  const command = 'set -o pipefail; just watch --json --interval 1 | head -n 5 >/run/told'
  const watched = lab.exec('n1', ['bash', '-c', command], { cwd: repositoryInside })
  const told = async () => (await sh('n1', 'cat /run/told')).split('\n')
  await expect.poll(async () => (await told()).length, POLL).toBe(5)
  // Something has to be told for it to hear that nobody reads.
  await lab.setLoad('n4', 1.9)
  expect((await watched).exitCode).toBe(0)
  await nothingIsLeft()
  await lab.setLoad('n4', 0)
  const { WatchLine } = await import('../../verbs/watch/schemas.ts')
  const lines = (await told()).map((line) => WatchLine.parse(JSON.parse(line)))
  expect(lines.map(({ event }) => event).toSorted()).toEqual(['balance', ...HOSTS.map(() => 'machine')])
  const mesh = await lab.exec('n1', ['just', 'mesh-balance', '--json'], { cwd: repositoryInside })
  const { nodes }: { nodes: { name: string; trit: number }[] } = JSON.parse(mesh.stdout)
  const tritsOf = (all: { name: string; trit?: number }[]) =>
    Object.fromEntries(all.map(({ name, trit }) => [name, trit]))
  // The same trits as of who asks once.
  const seen = lines.flatMap((line) =>
    line.event === 'machine' && line.node.outcome === 'ok' ? [line.node] : [],
  )
  expect(tritsOf(seen)).toEqual(tritsOf(nodes))
})
