import { expect, test } from 'vitest'
import { Failure, Interrupted } from '../../../lib/base/errors.ts'
import { PeerFailure } from '../../../lib/share/localsend/failures.ts'
import type { MeshNode } from '../../../lib/mesh/node.ts'
import { firstThatTakes } from '../../../lib/share/attempts.ts'
import { receiveUnit } from '../../../lib/share/receive-unit.ts'
import { rsyncArguments } from '../../../lib/share/rsync.ts'
import { sshArguments } from '../../../lib/mesh/ssh.ts'

const node = (name: string): MeshNode => ({ name, address: '100.64.0.1', os: 'linux', self: false })

test('rsync gets ssh as one word, each blank and quotation mark inside it quoted, and names as operands', () => {
  const files = { controlPath: "/run/it's here/x" }
  const ssh = sshArguments({ host: 'n2', user: 'me' }, '', 5, files)
  const args = rsyncArguments(ssh, 'n2', ['/a b', '/-rf'], '~/to here')
  expect(args.slice(args.indexOf('--') + 1)).toEqual(['/a b', '/-rf', 'n2:to here/'])
  const shell = args[args.indexOf('--rsh') + 1] ?? ''
  expect(shell).toContain(`'ControlPath="/run/it''s here/x"'`)
  expect(shell).toMatch(/^ssh -o BatchMode=yes .* -l me$/)
})

test.each([
  ['~', 'n2:./'],
  ['~/', 'n2:./'],
  ['~/a/', 'n2:a/'],
  ['/a', 'n2:/a/'],
  ['~b', 'n2:~b/'],
])('the folder %s is %s to rsync', (dest, expected) => {
  expect(rsyncArguments(['--', 'n2', ''], 'n2', [], dest).at(-1)).toBe(expected)
})

test('an IPv6 address is in brackets for rsync', () => {
  expect(rsyncArguments(['--', 'fd7a::1', ''], 'fd7a::1', [], '/a').at(-1)).toBe('[fd7a::1]:/a/')
})

test.each(['unreachable', 'declined', 'busy', 'failed', 'strange', 'locked'] as const)(
  'after a peer that is %s, the next one is tried, and who was tried is told',
  async (trouble) => {
    const passed: string[] = []
    const outcome = await firstThatTakes(
      [node('a'), node('b')],
      async ({ name }) => {
        if (name === 'a') throw new PeerFailure(trouble, 'not me')
        return name
      },
      (tried, next) => passed.push(`${tried.name}: ${tried.reason}; ${next.name}`),
    )
    expect(outcome).toMatchObject({ result: 'b', tried: [{ name: 'a', reason: 'not me' }] })
    expect(passed).toEqual(['a: not me; b'])
  },
)

test.each([
  new PeerFailure('broken', 'x', { accepted: true }),
  new PeerFailure('failed', 'x', { accepted: true }),
  new PeerFailure('changed', 'x'),
  new PeerFailure('pin', 'x'),
  new Interrupted('x'),
  new TypeError('x'),
])('nobody else is tried after %o', async (error) => {
  const asked: string[] = []
  const trying = firstThatTakes(
    [node('a'), node('b')],
    async ({ name }) => {
      asked.push(name)
      throw error
    },
    () => {},
  )
  await expect(trying).rejects.toBe(error)
  expect(asked).toEqual(['a'])
})

test('when nobody takes it, the last reason is kept', async () => {
  const outcome = await firstThatTakes(
    [node('a'), node('b')],
    async ({ name }) => {
      throw new Failure(name)
    },
    () => {},
  )
  expect(outcome).toMatchObject({ tried: [{ name: 'a' }, { name: 'b' }], last: new Failure('b') })
})

test('the unit of a receiver quotes what systemd would read otherwise', () => {
  expect(receiveUnit(['/usr/bin/node', '--dir=/a b/100%/$x'])).toContain(
    'ExecStart=/usr/bin/node "--dir=/a b/100%%/$$x"\n',
  )
})
