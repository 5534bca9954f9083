import { vi } from 'vitest'
import type { HostName, Scene, Workload } from './scene.ts'

/** A migration that waits before a step. */
export type Coordination = {
  id: string
  /** Its folder, on the machine of the coordinator. */
  journal: string
  /** Lets it take the step, and all that follow. */
  goOn: () => Promise<{ kind: string; detail: string }>
  /** Kills the coordinator, and with it who would settle the migration. */
  kill: (guardianToo?: boolean) => Promise<void>
}

/** Moves a process by coordinator.ts on a machine, as far as the step `pauseAt`. */
export async function coordinate(
  scene: Scene,
  node: HostName,
  { pid, folder }: Workload,
  {
    from = 'n1',
    to = 'n2',
    pauseAt,
    terminal = false,
  }: { from?: HostName; to?: HostName; pauseAt: string; terminal?: boolean },
): Promise<Coordination> {
  const ship = (await scene.sh(from, `find ${folder} -type f`)).split('\n')
  // Its plan has no folders.
  await scene.sh(to, `mkdir -p ${folder}`)
  const plan = JSON.stringify({ pid, from, to, ship, pauseAt, asked: terminal })
  const { process } = await scene.script(node, 'test/migrate/coordinator.ts', [plan])
  let said = ''
  process.stdout.on('data', (chunk: Buffer) => (said += String(chunk)))
  const line = (key: string, value?: string) => {
    const lines = said.split('\n').slice(0, -1)
    return lines
      .map((each) => JSON.parse(each))
      .find((each) => key in each && each[key] === (value ?? each[key]))
  }
  await vi.waitUntil(() => line('step', pauseAt) ?? line('kind'), { timeout: 60_000, interval: 50 })
  if (!line('step', pauseAt)) throw new Error(`it did not come to ${pauseAt}: ${said}`)
  const { id } = line('id')
  const journal = `/root/.local/state/resource-sharing/migrations/${id}`
  return {
    id,
    journal,
    goOn: async () => {
      process.stdin.write('\n')
      await process
      return line('kind')
    },
    kill: async (guardianToo = false) => {
      const holders = guardianToo ? 'guardian lock' : 'lock'
      await scene.sh(node, `cd ${journal} && kill -9 $(cat ${holders} | cut -d ' ' -f 1)`)
      await process
    },
  }
}
