import { vi } from 'vitest'
import { Person } from '../migrate/person.ts'
import type { Scene } from '../migrate/scene.ts'

/** How people start a program on n1; each gives the PID of what was typed. To add one is to add an entry. */
export type Way = {
  title: string
  /** Whether what is started has a terminal. */
  terminal: boolean
  start: (scene: Scene, folder: string, command: string) => Promise<number>
}

// What the tests were started from may have left descriptors open: they would lead outside.
const CLOSE =
  'for each in /proc/$$/fd/*; do each=${each##*/}; [ "$each" -le 2 ] || eval "exec $each>&-"; done'

export const WAYS: readonly Way[] = [
  {
    title: 'setsid',
    terminal: false,
    start: async (scene, folder, command) =>
      Number(
        await scene.sh('n1', `${CLOSE}; cd ${folder}; setsid ${command} </dev/null >out 2>&1 & echo $!`),
      ),
  },
  {
    title: 'nohup, by ssh',
    terminal: false,
    start: async (scene, folder, command) => {
      const line = `cd ${folder}; nohup ${command} </dev/null >out 2>&1 & echo $!`
      const input = `${line}\n`
      const { stdout } = await scene.lab.exec(
        'n3',
        ['ssh', '-o', 'StrictHostKeyChecking=accept-new', 'n1', 'bash', '-s'],
        { input },
      )
      return Number(stdout)
    },
  },
  {
    title: 'in an ssh terminal',
    terminal: true,
    start: async (scene, folder, command) => {
      const ssh = 'ssh -tt -o StrictHostKeyChecking=accept-new n1 bash --norc -i'
      return await typed(await Person.at(scene, 'n3', ssh), scene, folder, command)
    },
  },
  {
    title: 'in tmux',
    terminal: true,
    start: async (scene, folder, command) =>
      await typed(await Person.at(scene, 'n1'), scene, folder, command),
  },
]

/** What somebody types at a terminal whose shell is on n1, in the foreground. */
async function typed(who: Person, scene: Scene, folder: string, command: string): Promise<number> {
  await who.says(`cd ${folder} && echo $$ >shell`)
  const shell = await vi.waitUntil(async () => await scene.sh('n1', `cat ${folder}/shell 2>/dev/null || :`), {
    timeout: 30_000,
  })
  await who.says(command)
  const child = `ps -o pid= --ppid ${Number(shell)} || :`
  return Number(await vi.waitUntil(async () => (await scene.sh('n1', child)).trim(), { timeout: 30_000 }))
}
