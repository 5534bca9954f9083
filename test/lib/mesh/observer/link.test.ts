import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Connections } from '../../../../lib/mesh/connections.ts'
import { Link, LinkFault } from '../../../../lib/mesh/observer/link.ts'

// What stands for ssh here is told what to do by a script: what a machine may do to who asks it, without a machine.
let folder: string
const path = process.env['PATH'] ?? ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'link-'))
  process.env['PATH'] = `${folder}${delimiter}${path}`
})
afterEach(async () => {
  process.env['PATH'] = path
  await rm(folder, { recursive: true, force: true })
})

async function linkTo(machine: string): Promise<Link> {
  const file = join(folder, 'ssh')
  // Questions of the client itself are answered by the way.
  await writeFile(file, `#!/bin/sh\nfor word; do case $word in -G | -O) exit 0 ;; esac; done\n${machine}\n`)
  await chmod(file, 0o755)
  const host = { name: 'n2', ssh: { host: 'n2' } }
  const { link } = await Link.open(host, await Connections.open(), { roundMs: 1000, connectMs: 5000 })
  return link
}

const ANSWERS = `shift $(($# - 1)); exec sh -c "$1"`

test('over one connection it answers round after round', async () => {
  const link = await linkTo(ANSWERS)
  for (let round = 0; round < 3; round += 1) {
    const { answer } = await link.ask('load', 10_000, undefined)
    expect(answer.measurement.cpus).toBeGreaterThan(0)
  }
  await link.close()
})

test.each<[string, string, { outcome: string; message: RegExp }]>([
  [
    'prints without end',
    'exec cat /dev/zero',
    { outcome: 'bad-output', message: /it prints without end instead of an answer/ },
  ],
  [
    'does not let anybody in',
    'echo "n2: Permission denied (publickey)." >&2; exit 255',
    { outcome: 'auth', message: /Permission denied/ },
  ],
  ['says nothing', 'exec sleep 60', { outcome: 'timeout', message: /no answer within 1\.0 s/ }],
  [
    'says something else, and no more',
    'echo welcome; exit 0',
    { outcome: 'bad-output', message: /it no longer answers, instead: welcome/ },
  ],
  [
    'answers what nobody asked',
    `IFS= read -r script; read -r asked nonce; printf '%s begin\\nos Linux\\nload many\\n%s end\\n' "$nonce" "$nonce"; sleep 60`,
    { outcome: 'bad-output', message: /not a number of cpus/ },
  ],
])('a machine that %s gives no measurement, and why is told', async (_, machine, { outcome, message }) => {
  const link = await linkTo(machine)
  const failed: unknown = await link.ask('load', 1000, undefined).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(failed).toBeInstanceOf(LinkFault)
  expect(failed).toMatchObject({ outcome, message: expect.stringMatching(message) })
  // It is of no use any more, and ends.
  await expect(link.ask('load', 1000, undefined)).rejects.toBeInstanceOf(LinkFault)
  await link.close()
})

test('what comes between two rounds is no answer, and too much of it ends the connection', async () => {
  const link = await linkTo(`(sleep 1; head -c 200000 /dev/zero; sleep 60) & ${ANSWERS}`)
  await link.ask('load', 10_000, undefined)
  await new Promise((resolve) => setTimeout(resolve, 1500))
  await expect(link.ask('load', 10_000, undefined)).rejects.toMatchObject({ outcome: 'bad-output' })
  await link.close()
})
