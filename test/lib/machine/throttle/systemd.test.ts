import { expect, test } from 'vitest'
import { startScope, withoutQuota } from '../../../../lib/machine/throttle/systemd.ts'

test('a scope is asked for with its PIDs and half a second of CPU time a second', () => {
  const { file, args } = startScope('7-abc', [7, 8], 50, false)
  expect([file, ...args].join(' ')).toBe(
    'busctl --user call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager ' +
      'StartTransientUnit ssa(sv)a(sa(sv)) resource-sharing-7-abc.scope fail 2 PIDs au 2 7 8 CPUQuotaPerSecUSec t 500000 0',
  )
})

test('a release takes the quota away and ends nothing', () => {
  expect(withoutQuota('7-abc', true)).toEqual({
    file: 'systemctl',
    args: ['--system', 'set-property', '--runtime', 'resource-sharing-7-abc.scope', 'CPUQuota='],
  })
})
