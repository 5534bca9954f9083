import { expect, test } from 'vitest'
import { folderOf, hierarchies } from '../../../../lib/machine/throttle/cgroup.ts'

const V1 = '33 32 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:10 - cgroup cgroup rw,cpu,cpuacct'
const V2 = '30 23 0:26 /user\\040one /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate'
const OTHER = '34 32 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory'

test('the hierarchies that limit CPU are found among the mounts', () => {
  expect(hierarchies([OTHER, V1, V2, 'half a line', ''].join('\n'))).toEqual([
    { version: 1, mountPoint: '/sys/fs/cgroup/cpu,cpuacct', root: '/' },
    { version: 2, mountPoint: '/sys/fs/cgroup', root: '/user one' },
  ])
})

test.each([
  [1, '/', '4:cpu,cpuacct:/a/b\n0::/x', '/m/a/b'],
  [1, '/', '4:memory:/a\n0::/x', undefined],
  [2, '/', '4:cpu:/a\n0::/user.slice/one', '/m/user.slice/one'],
  [2, '/user.slice', '0::/user.slice/one', '/m/one'],
  [2, '/user.slice', '0::/user.slice', '/m'],
  [2, '/user.slice', '0::/user.slices/one', undefined],
  [2, '/user.slice', '0::/', undefined],
  [2, '/', '', undefined],
] as const)('version %d below %s: %j is the folder %s', (version, root, cgroups, folder) => {
  expect(folderOf({ version, mountPoint: '/m', root }, cgroups)).toBe(folder)
})
