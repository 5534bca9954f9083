import { expect, test } from 'vitest'
import { waysIn } from '../../../../lib/machine/throttle/ways.ts'

const ROOT = { pid: 7, start: '70' }
const MOUNT_2 = 'mount 30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw'
const MOUNT_1 = 'mount 31 25 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct'
const TASKS = ['task 7/70 0', 'task 8/80 -5']
const GROUPS = [
  'group 7/70 0::/user.slice/a.scope',
  'group 7/70 3:cpu,cpuacct:/user',
  'group 8/80 3:cpu,cpuacct:/',
]
const ways = (...lines: string[]) => waysIn(lines.join('\n'), '7-id', ROOT)
const renice = { means: 'renice', undo: { '7/70': '0', '8/80': '-5' } }

test('where no control group limits CPU, a low priority is left, with what each had', () => {
  expect(ways(...TASKS, ...GROUPS)).toEqual([renice])
})

test('version 2 comes before version 1, and that before a low priority', () => {
  expect(ways(MOUNT_2, MOUNT_1, ...TASKS, ...GROUPS)).toEqual([
    {
      means: 'cgroup2',
      undo: {
        '7/70': '/sys/fs/cgroup/user.slice/a.scope',
        '': '/sys/fs/cgroup/user.slice/resource-sharing-7-id',
      },
    },
    {
      means: 'cgroup1',
      undo: {
        '7/70': '/sys/fs/cgroup/cpu/user',
        '8/80': '/sys/fs/cgroup/cpu',
        '': '/sys/fs/cgroup/cpu/user/resource-sharing-7-id',
      },
    },
    renice,
  ])
})

test('lines that are something else are no tasks and no groups', () => {
  expect(ways('task x 1', 'task 7/70', 'task 7/70 0; id', 'group 7 0::/', 'Welcome!')).toEqual([
    { means: 'renice', undo: {} },
  ])
})
