import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseAnswer } from '../../../../lib/machine/answer.ts'
import { probe } from '../../../../lib/machine/probe.ts'
import { MARKS } from '../../../../lib/machine/reservations/script.ts'

/** Root would write where the whole machine looks. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
const SHELLS = ['sh', 'bash']

let state = ''
const inState = (name: string) => join(state, 'resource-sharing', 'receiver', name)
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'rs-receiver-'))
  await chmod(state, 0o777)
})
afterEach(() => rm(state, { recursive: true }))

function sh(program: string, shell = 'sh') {
  return execa(shell, ['-c', `${MARKS}\n${program}`], {
    ...NOBODY,
    env: { XDG_STATE_HOME: state },
    reject: false,
  })
}
/** What it printed, where seconds may have passed meanwhile: `60` is 51 to 60. */
const said = async (program: string, shell?: string) => {
  const { stdout, exitCode } = await sh(program, shell)
  return [
    stdout.replaceAll(/(?<= )[258]\d\b/g, (seconds) => String(10 * Math.ceil(Number(seconds) / 10))),
    exitCode,
  ]
}

const LINUX = process.platform === 'linux'

test.runIf(LINUX).each(SHELLS)(
  '%s: one reserves, renews, holds and releases, and others meanwhile do not',
  async (shell) => {
    expect(await said('rs_reserve a 60 1.5; rs_show', shell)).toEqual(['reserved a 60 1.5', 0])
    expect(await said('rs_reserve b 60 1', shell)).toEqual(['reserved a 60', 61])
    expect(await said('rs_renew b 60', shell)).toEqual(['lost', 63])
    expect(await said('rs_renew a 90; rs_show', shell)).toEqual(['reserved a 90 1.5', 0])
    expect(await said('rs_reserve a 30 2; rs_show', shell)).toEqual(['reserved a 30 2', 0])
    expect(await said('rs_holds a 25; echo $?; rs_holds a 40; echo $?; rs_holds b', shell)).toEqual([
      '0\nlost\n63\nlost',
      63,
    ])
    expect(await said('rs_release b; rs_show', shell)).toEqual(['reserved a 30 2', 0])
    expect(await said('rs_release a; rs_show', shell)).toEqual(['', 0])
    expect(await said('rs_reserve b 60 1', shell)).toEqual(['', 0])
  },
)

test.runIf(LINUX).each(SHELLS)(
  '%s: what has arrived keeps others away for 90 s, is told for 300 s, counts once, and ends its reservation',
  async (shell) => {
    await sh('rs_reserve a 60 1.5; rs_arrived a 1.5; rs_arrived a 1.5; rs_arrived b 0.25', shell)
    expect(await said('rs_show', shell)).toEqual([expect.stringMatching(/^arrivals \d+:1.5 \d+:0.25$/), 0])
    expect(await said('rs_reserve c 60 1 settled', shell)).toEqual([
      expect.stringMatching(/^arrived \d+ (?:1.5|0.25)$/),
      62,
    ])
    expect(await said('rs_reserve c 60 1', shell)).toEqual(['', 0])
    const lines = await readFile(inState('arrivals'), 'utf8')
    const earlier = (seconds: number) =>
      lines.replaceAll(/^(\S+) (\d+)/gm, (_, boot, at) => `${boot} ${Number(at) - seconds}`)
    await writeFile(inState('arrivals'), earlier(80))
    expect((await said('rs_show', shell))[0]).toMatch(/^reserved c \d+ 1\narrivals \d\d:1.5 \d\d:0.25$/)
    expect((await said('rs_release c; rs_reserve c 60 1 settled', shell))[1]).toBe(62)
    await writeFile(inState('arrivals'), earlier(91))
    expect(await said('rs_reserve c 60 1 settled; rs_release c; rs_show', shell)).toEqual([
      expect.stringMatching(/^arrivals \d\d+:1.5 \d\d+:0.25$/),
      0,
    ])
    await writeFile(inState('arrivals'), earlier(301))
    expect(await said('rs_show; rs_arrived d 1; rs_show', shell)).toEqual([
      expect.stringMatching(/^arrivals \d+:1$/),
      0,
    ])
    expect(await readFile(inState('arrivals'), 'utf8')).toMatch(/^\S+ \d+ d 1\n$/)
  },
)

test.runIf(LINUX).each(SHELLS)(
  '%s: a machine remembers what left it, and which process that was, unless it has stayed after all',
  async (shell) => {
    await sh('rs_reserve b 60 1; rs_departed a 1.5 4711; rs_departed b 0.5; rs_arrived c 1 42', shell)
    expect(await said('rs_show', shell)).toEqual([
      expect.stringMatching(/^reserved b \d+ 1\narrivals \d+:1:42\ndepartures \d+:1.5:4711 \d+:0.5$/),
      0,
    ])
    expect(await said('rs_stayed a; rs_left c; rs_release b; rs_show', shell)).toEqual([
      expect.stringMatching(/^departures \d+:0.5$/),
      0,
    ])
  },
)

test.runIf(LINUX)('a reservation ends when its time is over, and not before', async () => {
  expect(
    await said('rs_reserve a 2 1; sleep 0.5; rs_reserve b 9 1; echo; sleep 2; rs_reserve b 9 1'),
  ).toEqual([expect.stringMatching(/^reserved a [12]\n$/), 0])
  expect(await said('rs_holds a; rs_renew a 9; rs_holds b')).toEqual(['lost\nlost', 0])
})

test.runIf(LINUX)(
  'after a reboot, of the machine or of the container, nothing is reserved and nothing has arrived',
  async () => {
    for (const other of ['s/^[^ ]*\\./00000000-0000-4000-8000-000000000000./', 's/\\.[0-9]*/.1/']) {
      await sh('rs_arrived z 3; rs_reserve a 60 1')
      expect((await said('rs_show'))[0]).toMatch(/^reserved a \d+ 1\narrivals /)
      await execa('sed', ['-i', other, inState('reservation'), inState('arrivals')])
      expect(await said('rs_show; rs_renew a 60')).toEqual(['lost', 63])
      await sh('rs_arrived a 1')
      await expect(readFile(inState('reservation'))).rejects.toThrow('ENOENT')
      await sh('rs_left a')
      expect(await said('rs_reserve b 60 1 settled; rs_release b')).toEqual(['', 0])
    }
  },
)

test.runIf(LINUX)('twenty that reserve at the same time: one gets it, again and again', async () => {
  for (let round = 0; round < 5; round += 1) {
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, index) => said(`rs_reserve owner-${index} 60 1`)),
    )
    const won = all.flatMap(([, exitCode], index) => (exitCode === 0 ? [index] : []))
    expect(won).toHaveLength(1)
    expect(all.filter(([, exitCode]) => exitCode === 61)).toHaveLength(19)
    expect(await said(`rs_release owner-${won[0]}`)).toEqual(['', 0])
  }
  expect((await readdir(inState('.'))).toSorted()).toEqual(['lock'])
})

test.runIf(LINUX)('twenty arrivals at the same time are twenty', async () => {
  await Promise.all(Array.from({ length: 20 }, (_, index) => sh(`rs_arrived owner-${index} 1`)))
  const { stdout } = await sh('rs_show')
  expect(stdout.split(' ')).toHaveLength(21)
})

test.each(SHELLS)(
  '%s: a machine that is closed is not reserved, whoever holds it keeps it, and it opens',
  async (shell) => {
    if (LINUX) await sh('rs_reserve a 60 1', shell)
    expect(await said(`rs_close '  $(id) "x"\n\\033[31m '; rs_show | head -n 1`, shell)).toEqual([
      'closed   $(id) "x" \\033[31m',
      0,
    ])
    if (LINUX) {
      expect(await said('rs_reserve b 60 1', shell)).toEqual(['closed   $(id) "x" \\033[31m', 60])
      expect(await said('rs_renew a 60', shell)).toEqual(['', 0])
      await sh('rs_release a', shell)
    }
    expect(await said('rs_open; rs_open; rs_show', shell)).toEqual(['', 0])
  },
)

test
  .runIf(LINUX)
  .each([
    ['rs_reserve "" 5 1'],
    ['rs_reserve "a b" 5 1'],
    ['rs_reserve ../x 5 1'],
    [`rs_reserve ${'a'.repeat(65)} 5 1`],
    ['rs_reserve a 0 1'],
    ['rs_reserve a -5 1'],
    ['rs_reserve a 12345 1'],
    ['rs_reserve a 5 1.'],
    ['rs_reserve a 5 x'],
    ['rs_arrived a "1 2"'],
    ['rs_arrived a 1 0'],
    ['rs_departed a 1 "1 2"'],
    ['rs_departed A 1'],
    ['rs_renew a 08'],
  ])('%s is refused', async (call) => {
  expect(await said(call)).toEqual([expect.stringMatching(/^wrong /), 64])
})

test.runIf(LINUX)('files that hold something else are no reservation and no arrival', async () => {
  await sh('rs_reserve a 60 1; rs_arrived b 1')
  for (const text of ['', '\n', 'x', 'x y z 1\n', 'a[$(touch /tmp/rs-owned)] b c d\n', '\0\0\0']) {
    await writeFile(inState('reservation'), text)
    await writeFile(inState('arrivals'), text)
    expect(await said('rs_show')).toEqual(['', 0])
    expect(await said('rs_reserve c 60 1; rs_release c')).toEqual(['', 0])
  }
  const [boot] = (await said('rs_clock; echo $rs_boot'))[0]?.toString().split('\n') ?? []
  await writeFile(inState('reservation'), `${boot} a[$(touch /tmp/rs-owned)] c 1\n`)
  await writeFile(inState('arrivals'), `${boot} a[$(touch /tmp/rs-owned)] c 1\n`)
  expect(await said('rs_show; ls /tmp/rs-owned 2>/dev/null')).toEqual(['', 2])
})

test.runIf(LINUX)('a folder that can not be written is said, not taken for a reservation', async () => {
  await mkdir(join(state, 'resource-sharing'))
  await writeFile(join(state, 'resource-sharing', 'receiver'), '')
  expect(await said('rs_reserve a 60 1')).toEqual([expect.stringMatching(/^cannot /), 65])
  expect(await said('rs_close')).toEqual([expect.stringMatching(/^cannot /), 65])
})

test.runIf(LINUX)('the probe tells what a machine keeps, and its memory', async () => {
  await sh('rs_arrived b 0.5; rs_reserve a 60 1; rs_close for tonight')
  const { nonce, script } = probe()
  const { stdout } = await execa('sh', ['-s'], { ...NOBODY, input: script, env: { XDG_STATE_HOME: state } })
  const { measurement } = parseAnswer(`${stdout}\n`, nonce)
  expect(measurement.receiver).toMatchObject({
    closed: 'for',
    reserved: { owner: 'a', cpu: 1 },
    arrivals: [{ cpu: 0.5 }],
  })
  expect(measurement.availableBytes).toBeGreaterThan(1_000_000)
})
