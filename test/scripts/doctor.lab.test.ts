import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLab, type Lab } from '../lab/lab.ts'

let lab: Lab
beforeAll(async () => {
  lab = await openLab({ instance: 'doctor', hosts: 2, tailnet: false })
  const trust = 'ssh-keyscan n2.lan >>.ssh/known_hosts 2>/dev/null'
  await Promise.all([
    lab.exec('n1', ['sh', '-c', trust]),
    lab.exec('n1', ['sh', '-c', trust], { user: 'operator' }),
  ])
})
afterAll(async () => await lab.close())

const AT = { cwd: '/srv/resource-sharing' } as const

async function doctor(args: readonly string[], user: 'root' | 'operator' = 'root') {
  return await lab.exec('n1', ['node', 'cli/start.mjs', 'scripts/doctor.ts', ...args], { ...AT, user })
}

type Row = { host: string; check: string; state: string; todo?: string }

async function missing(args: readonly string[]): Promise<{ rows: Row[]; exitCode: number }> {
  const { stdout, exitCode } = await doctor([...args, '--json', '-q'])
  const { findings, fine }: { findings: Row[]; fine: boolean } = JSON.parse(stdout)
  expect(fine).toBe(exitCode === 0)
  return { rows: findings.filter(({ state }) => state === 'missing'), exitCode }
}

test('a machine that has everything is fine, here and there, as root and by sudo', async () => {
  for (const user of ['root', 'operator'] as const)
    for (const args of [[], ['n2.lan', '--hosts', 'n2.lan']]) {
      const { stdout, exitCode } = await doctor(args, user)
      expect(exitCode, stdout).toBe(0)
      expect(stdout).toMatch(/criu check +fine +Looks good\./)
    }
})

test.each([
  ['criu', 'mv /usr/sbin/criu /root', 'mv /root/criu /usr/sbin'],
  ['programs', 'mv /usr/bin/ss /root', 'mv /root/ss /usr/bin'],
  ['root', 'mv /usr/bin/sudo /root', 'mv /root/sudo /usr/bin'],
  ['/var/lib', 'mount -t tmpfs -o size=1m tmpfs /var/lib', 'umount /var/lib'],
] as const)('%s that is missing there is named, with what to do, exit 1', async (check, before, after) => {
  await lab.exec('n2', ['sh', '-c', before])
  const host = check === 'root' ? 'operator@n2.lan' : 'n2.lan'
  const { rows, exitCode } = await missing(['n2.lan', '--hosts', host])
  await lab.exec('n2', ['sh', '-c', after])
  expect(rows[0]).toMatchObject({ host: 'n2.lan', check, todo: expect.any(String) })
  expect(exitCode).toBe(1)
})

test('a client whose own key exchange is slow is named, unless somebody has chosen', async () => {
  const choices = async () => {
    const { findings }: { findings: Row[] } = JSON.parse((await doctor(['--json', '-q'])).stdout)
    return findings.filter(({ check }) => check === 'key exchange')
  }
  expect(await choices()).toEqual([])
  // As OpenSSH before 9.9 has it of itself.
  const old = 'KexAlgorithms=sntrup761x25519-sha512@openssh.com,curve25519-sha256'
  await lab.exec('n1', ['sh', '-c', 'cat >/usr/local/bin/ssh && chmod 755 /usr/local/bin/ssh'], {
    input: `#!/bin/sh\nexec /usr/bin/ssh -o '${old}' "$@"\n`,
  })
  expect(await choices()).toMatchObject([
    { state: 'optional', says: expect.stringMatching(/^sntrup761/), todo: expect.stringMatching(/9\.9/) },
  ])
  await lab.exec('n1', [
    'sh',
    '-c',
    'echo "KexAlgorithms sntrup761x25519-sha512@openssh.com" >/root/.ssh/config',
  ])
  expect(await choices()).toEqual([])
  await lab.exec('n1', ['rm', '/usr/local/bin/ssh', '/root/.ssh/config'])
})

test('a machine that does not answer, and a name that nobody has', async () => {
  const { rows, exitCode } = await missing(['n9.lan', '--hosts', 'n9.lan', '--timeout', '6'])
  expect({ rows, exitCode }).toMatchObject({ rows: [{ check: 'reached', host: 'n9.lan' }], exitCode: 1 })
  const unknown = await doctor(['n9', '--hosts', 'n2.lan'])
  expect(unknown).toMatchObject({
    exitCode: 2,
    stdout: '',
    stderr: expect.stringContaining('"n9" is not in the mesh'),
  })
  expect((await doctor(['n1', 'n2'])).exitCode).toBe(2)
})
