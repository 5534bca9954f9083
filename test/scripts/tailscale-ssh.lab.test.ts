import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLab, type Lab } from '../lab/lab.ts'

// Tailscale's own ssh server, which lets people in by the tailnet's policy: see headscale.ts.
let lab: Lab
beforeAll(async () => {
  lab = await openLab({ instance: 'tailscale-ssh', hosts: 2 })
  await lab.become('n2', 'tailscale-ssh')
  await lab.exec('n1', ['sh', '-c', 'mkdir folder; echo content >folder/file; mkdir -p .ssh'])
})
afterAll(() => lab?.close())

/** A recipe on n1, as whose user n2 is asked. */
async function ask(user: string, ...args: string[]) {
  await lab.exec('n1', ['tee', '/root/.ssh/config'], { input: `Host n2\n  User ${user}\n` })
  return await lab.exec('n1', ['just', '--justfile', '/srv/resource-sharing/justfile', ...args])
}

const RECIPES: readonly { title: string; args: string[]; exitCode: number }[] = [
  { title: 'scum-view', args: ['scum-view', '--host', 'n2', '--timeout', '6'], exitCode: 1 },
  { title: 'offload', args: ['offload', '--target', 'n2', '--timeout', '6', 'id', '-un'], exitCode: 125 },
  {
    title: 'share-to-idle',
    args: ['share-to-idle', 'folder', '--via', 'ssh', '--target', 'n2', '--timeout', '6'],
    exitCode: 1,
  },
  {
    title: 'migrate-scum',
    args: ['migrate-scum', 'n2:1', '--target', 'n1', '--timeout', '6', '--dry-run'],
    exitCode: 5,
  },
]

test.each(RECIPES.slice(0, 3))('$title: where the policy lets in, all is as by sshd', async ({ args }) => {
  expect(await ask('operator', ...args)).toMatchObject({ exitCode: 0 })
})

test.each(RECIPES)(
  '$title: the policy turns away, and it is told what to mend',
  async ({ args, exitCode }) => {
    const ran = await ask('nobody', ...args)
    expect(ran).toMatchObject({ exitCode, stdout: '' })
    expect(ran.stderr).toMatch(
      /tailnet policy does not permit you to SSH as user "nobody": the `ssh` rules of/,
    )
  },
)

test.each(RECIPES)('$title: a check is asked for, and it is told where', async ({ args, exitCode }) => {
  const ran = await ask('root', ...args)
  expect(ran).toMatchObject({ exitCode, stdout: '' })
  expect(ran.stderr).toMatch(/Headscale SSH asks for a check: visit http:\/\/\S+\/auth\/\S+$/m)
})

test('the same in the mesh, where nobody waits longer than for others', async () => {
  const began = performance.now()
  const { stdout } = await ask('root', 'mesh-balance', '--json', '--timeout', '6')
  expect(performance.now() - began).toBeLessThan(8000)
  expect(JSON.parse(stdout).nodes).toEqual([
    expect.objectContaining({ name: 'n1', outcome: 'ok' }),
    expect.objectContaining({
      name: 'n2',
      outcome: 'auth',
      reason: expect.stringContaining('visit http://'),
    }),
  ])
})
