import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { beforeEach, afterEach, expect, test } from 'vitest'

// How the terminal of a copy that is not wanted ends, by the very functions that do it on the target, with real processes.

const MACHINE = join(import.meta.dirname, '../../../../lib/work/migrate/machine')
const SOURCES = ['common.sh', 'target-terminal.sh'].map((name) => `. ${join(MACHINE, name)}`).join('\n')
const left: number[] = []
let terminals = ''
let folder = ''

beforeEach(async () => {
  terminals = await mkdtemp(join(tmpdir(), 'rs-terminals-'))
  folder = join(terminals, 'a1')
  await mkdir(folder)
})
afterEach(async () => {
  await rm(terminals, { recursive: true, force: true })
  for (const pid of left.splice(0)) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
})

const holders = async (...lines: string[]) => await writeFile(join(folder, 'holders'), lines.join(''))

/** @returns its exit code, and what it complained of */
async function end(before = ''): Promise<unknown[]> {
  const script = `${SOURCES}\nterminals=${terminals} terminal_dir=${folder}\n${before}\nend_terminal\n[ ! -e ${folder} ]`
  const { exitCode, stderr } = await execa('sh', ['-c', script, `${terminals}/a1/steps.sh`], {
    reject: false,
  })
  return [exitCode, stderr]
}

/** The fields of its stat from the third on; none when it is gone. */
function statOf(pid: number): string[] {
  try {
    return (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? '').trim().split(' ')
  } catch {
    return []
  }
}
const isAlive = (pid: number) => !['Z', undefined].includes(statOf(pid)[0])
const startOf = (pid: number) => statOf(pid)[19] ?? ''

/** A process in a session whose leader may have ended. */
async function inSession(
  leader: 'there' | 'gone',
): Promise<{ leader: number; start: string; member: number }> {
  const program = `sleep 300 >/dev/null 2>&1 & echo $! ; read -r line; ${leader === 'there' ? 'exec sleep 300' : 'exit 0'}`
  const child = spawn('sh', ['-c', program], { detached: true, stdio: ['pipe', 'pipe', 'ignore'] })
  const [said]: unknown[] = await once(child.stdout, 'data')
  const [pid = 0, member] = [child.pid, Number(String(said))]
  left.push(member, pid)
  const start = startOf(pid)
  child.stdin.end('\n')
  if (leader === 'gone') await once(child, 'exit')
  return { leader: pid, start, member }
}

test.each(['there', 'gone'] as const)(
  'what is in its session ends, where who leads it is %s',
  async (state) => {
    const { leader, start, member } = await inSession(state)
    await holders(`leader ${leader} ${start}\n`)
    expect(await end()).toEqual([0, ''])
    await expect.poll(() => [isAlive(member), isAlive(leader)]).toEqual([false, false])
  },
)

test('so does what is left of those who have ended by themselves and removed their list', async () => {
  const { leader, start, member } = await inSession('gone')
  await holders(`leader ${leader} ${start}\n`)
  expect(await end(`note_held; rm ${folder}/holders`)).toEqual([0, ''])
  await expect.poll(() => isAlive(member)).toBe(false)
})

test('who has got the number of one that has ended is left alone', async () => {
  const { leader, start, member } = await inSession('there')
  await holders(`leader ${leader} ${Number(start) - 1}\n`)
  expect(await end()).toEqual([0, ''])
  expect([isAlive(leader), isAlive(member)]).toEqual([true, true])
})

test.each([
  ['no line', ''],
  ['an empty one', '\n'],
  ['no number', 'standby\n'],
])('a list that has %s is a list of nobody', async (_, text) => {
  await holders(text)
  expect(await end()).toEqual([0, ''])
})
