import { once } from 'node:events'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import {
  isThere,
  lineOf,
  liveProcess,
  liveProcesses,
  treeOf,
  whyAbsent,
  type LiveProcess,
} from '../../../lib/machine/live-processes.ts'

const live = (pid: number, parent: number): LiveProcess => {
  return { pid, parent, uid: 0, command: 'x', kernel: false, start: String(pid), stopped: false }
}
const all = new Map([live(1, 0), live(5, 1), live(9, 5), live(7, 9), live(8, 1)].map((p) => [p.pid, p]))

test('a tree is a process and its descendants, parents first, whatever their PIDs', () => {
  expect(treeOf(all, live(5, 1)).map(({ pid }) => pid)).toHaveLength(3)
  const [root] = [...all.values()].filter(({ pid }) => pid === 5)
  expect(root && treeOf(all, root).map(({ pid }) => pid)).toEqual([5, 9, 7])
})

test('the line of a process goes up to PID 1, and ends where a parent is unknown', () => {
  expect([...lineOf(all, 7)]).toEqual([7, 9, 5, 1])
  expect([...lineOf(new Map([[7, live(7, 6)]]), 7)]).toEqual([7, 6])
})

test('a real process is there with its user, its parent and its state, until it has ended', async () => {
  const sleeper = execa('sleep', ['30'], { reject: false })
  const found = await liveProcess(sleeper.pid ?? 0)
  expect(found).toMatchObject({ parent: process.pid, uid: process.getuid?.(), kernel: false, stopped: false })
  sleeper.kill('SIGSTOP')
  await expect.poll(async () => (await liveProcess(sleeper.pid ?? 0))?.stopped).toBe(true)
  sleeper.kill('SIGKILL')
  await sleeper
  expect(found && (await isThere(found))).toBe(false)
  expect((await liveProcesses()).has(process.pid)).toBe(true)
})

test.runIf(process.platform === 'linux')(
  'of a process that has ended, and whose parent has not asked, it is told who has to',
  async () => {
    // It ends when its parent is no shell any more, which might ask.
    const child = 'until grep -q sleep /proc/$PPID/comm; do sleep 0.01; done'
    const parent = execa('sh', ['-c', `sh -c '${child}' & echo $!; exec sleep 30`], { reject: false })
    try {
      const pid = Number(await once(parent.stdout, 'data'))
      await expect.poll(async () => await liveProcess(pid)).toBeUndefined()
      expect(await whyAbsent(pid, await liveProcesses())).toBe(
        `PID ${pid} (sh) has ended already; it is listed until its parent, PID ${parent.pid} (sleep), asks how it ended, or ends too`,
      )
    } finally {
      parent.kill()
      await parent
    }
  },
)

test('the root of a tree is shown as it is now, not as it was', () => {
  const now = { ...live(5, 1), stopped: true }
  expect(treeOf(new Map([[5, now]]), live(5, 1))).toEqual([now])
})
