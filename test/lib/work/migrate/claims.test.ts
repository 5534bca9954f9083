import { spawn, type ChildProcess } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { programOf } from '../../../../lib/work/migrate/machine.ts'
import { parseStat } from '../../../../lib/base/proc-stat.ts'

// The steps of the source, with their folders below one of the test's own.
let base = ''
const started: ChildProcess[] = []
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'rs-claims-'))
  const moved = programOf('source')
    .replaceAll('/var/lib/resource-sharing', `${base}/all`)
    .replaceAll('/run/resource-sharing', `${base}/run`)
  await writeFile(join(base, 'steps.sh'), moved)
})
afterEach(async () => {
  started.splice(0).forEach((child) => child.kill('SIGKILL'))
  await rm(base, { recursive: true })
})

/** A process that sleeps, as the plan of a migration names it. */
async function sleeper(): Promise<string> {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' })
  started.push(child)
  const startOf = async (pid: number) =>
    parseStat(pid, await readFile(`/proc/${pid}/stat`, 'utf8'))?.startTicks
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  return `${child.pid} ${await startOf(child.pid ?? 0)} ${boot}.${await startOf(1)}`
}

async function begin(id: string, process: string): Promise<(step: string) => Promise<string>> {
  const folder = join(base, 'all', 'migrations', id)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'process'), `${process}\n`)
  await cp(join(base, 'steps.sh'), join(folder, 'steps.sh'))
  return async (step) => {
    const { exitCode, stdout } = await execa({ reject: false })`sh ${join(folder, 'steps.sh')} ${step}`
    return `${exitCode} ${stdout}`.trim()
  }
}

test.runIf(process.platform === 'linux')(
  'migrations of different processes that begin and end at the same time do not refuse each other, and leave nothing',
  async () => {
    const said = await Promise.all(
      Array.from({ length: 6 }, async (_, worker) => {
        const process = await sleeper()
        const all: string[] = []
        for (let round = 0; round < 15; round += 1) {
          const step = await begin(`w${worker}r${round}`, process)
          all.push(await step('claim'), await step('finish'))
        }
        return all
      }),
    )
    expect([...new Set(said.flat())]).toEqual(['0'])
    expect(await readdir(join(base, 'all'))).toEqual([])
  },
)

test.runIf(process.platform === 'linux')(
  'of two migrations of one process one is told of the other',
  async () => {
    const process = await sleeper()
    const [first, second] = [await begin('one', process), await begin('two', process)]
    expect(await first('claim')).toBe('0')
    expect(await second('claim')).toBe('5 claimed one')
    expect(await first('finish')).toBe('0')
    expect(await readdir(join(base, 'all'))).toEqual([])
  },
)
