import { setTimeout as sleep } from 'node:timers/promises'
import type { Lab } from '../lab/lab.ts'

/** Where a trial takes place: the process moves from n1 to n2, and n1 or n3 sees to it. */
export type Scene = {
  lab: Lab
  coordinator: 'n1' | 'n3'
  /** What moves has been started at a terminal: a job of a shell alone, or the whole shell. */
  terminal?: 'job' | 'shell'
  /** What moves has a socket of the network: it listens, or is connected with the third machine. */
  socket?: 'server' | 'client'
}

export const PORT = 4711

/** Something that goes wrong, and how it is put right again. */
export type Fault = {
  name: string
  /** Before the migration begins. */
  prepare?: (scene: Scene) => Promise<void>
  strike: (scene: Scene) => Promise<void>
  /** How long it lasts when the migration goes on meanwhile; without it, until the coordinator has given up. */
  lastsMs?: number
  mend?: (scene: Scene) => Promise<void>
  /** Only where another machine than the source sees to it. */
  thirdOnly?: boolean
  /** It may cost the process: its machine was switched off, or criu was killed while it was inside it. */
  mayEnd?: true | 'and is told'
}

const IMAGES = '/var/lib/resource-sharing'

/** A disk of its own, which is full from the strike on. */
function fullDisk(node: string): Pick<Fault, 'prepare' | 'strike' | 'mend'> {
  return {
    prepare: async ({ lab }) => await lab.smallDisk(node, IMAGES, 24),
    strike: async ({ lab }) =>
      void (await lab.exec(node, ['sh', '-c', `mkdir -p ${IMAGES}; cat /dev/zero >${IMAGES}/filler`])),
    mend: async ({ lab }) => void (await lab.exec(node, ['rm', '-f', `${IMAGES}/filler`])),
  }
}

async function killAll({ lab }: Scene, node: string, pattern: string): Promise<void> {
  await lab.exec(node, ['pkill', '-KILL', '-f', pattern])
}

/** Kills the next criu that is there within two seconds. */
async function killCriu({ lab }: Scene, node: string): Promise<void> {
  const hunt = 'for i in $(seq 400); do pkill -KILL -x criu && exit; sleep 0.005; done'
  await lab.exec(node, ['sh', '-c', hunt])
}

export const FAULTS: readonly Fault[] = [
  { name: 'none', strike: async () => undefined },
  {
    name: 'coordinator killed',
    strike: async (scene) => await killAll(scene, scene.coordinator, 'migrate/coordinator[.]ts'),
  },
  {
    name: 'coordinator and guardian killed',
    strike: async (scene) =>
      await killAll(scene, scene.coordinator, '(migrate/coordinator|scripts/migrate-recover)[.]ts'),
  },
  {
    name: 'criu killed at the source',
    strike: async (scene) => await killCriu(scene, 'n1'),
    // criu 4.1.1 pokes system calls into the process: killed between two of them, it leaves it with another's registers.
    mayEnd: 'and is told',
  },
  { name: 'criu killed at the target', strike: async (scene) => await killCriu(scene, 'n2') },
  {
    name: 'ssh killed',
    strike: async ({ lab, coordinator }) =>
      void (await lab.exec(coordinator, ['pkill', '-KILL', '-x', 'ssh'])),
  },
  {
    name: 'link down for 3 s',
    strike: async ({ lab }) => await lab.linkDown('n2'),
    lastsMs: 3000,
    mend: async ({ lab }) => await lab.linkUp('n2'),
  },
  {
    name: 'link down for good',
    strike: async ({ lab }) => await lab.linkDown('n2'),
    mend: async ({ lab }) => await lab.linkUp('n2'),
  },
  {
    name: 'link of the source down for good',
    thirdOnly: true,
    strike: async ({ lab }) => await lab.linkDown('n1'),
    mend: async ({ lab }) => await lab.linkUp('n1'),
  },
  { name: 'disk of the target full', ...fullDisk('n2') },
  { name: 'disk of the source full', ...fullDisk('n1') },
  {
    name: 'target switched off and on',
    strike: async ({ lab }) => await lab.killHost('n2'),
    lastsMs: 1000,
    mend: async ({ lab }) => await lab.bootHost('n2'),
    mayEnd: true,
  },
  {
    name: 'source switched off and on',
    thirdOnly: true,
    strike: async ({ lab }) => await lab.killHost('n1'),
    lastsMs: 1000,
    mend: async ({ lab }) => await lab.bootHost('n1'),
    mayEnd: true,
  },
  {
    name: 'source frozen for 3 s',
    strike: async ({ lab }) => await lab.freezeHost('n1'),
    lastsMs: 3000,
    mend: async ({ lab }) => await lab.thawHost('n1'),
  },
  {
    name: 'target frozen for 3 s',
    strike: async ({ lab }) => await lab.freezeHost('n2'),
    lastsMs: 3000,
    mend: async ({ lab }) => await lab.thawHost('n2'),
  },
]

/** Kills those who have these roles for the terminal on the target. */
async function killHolders({ lab }: Scene, roles: string): Promise<void> {
  const pids = `awk '$1 ~ /^(${roles})$/ { print $2 }' /run/resource-sharing/terminals/*/holders`
  await lab.exec('n2', ['sh', '-c', `kill -KILL $(${pids})`])
}

/** What goes wrong besides where the process has a terminal. */
export const TERMINAL_FAULTS: readonly Fault[] = [
  { name: 'holder of the terminal killed', strike: async (scene) => await killHolders(scene, 'holder') },
  { name: 'standby of the terminal killed', strike: async (scene) => await killHolders(scene, 'standby') },
  {
    name: 'all of the terminal killed',
    strike: async (scene) => await killHolders(scene, 'holder|standby|leader'),
    // Once it runs that is as if somebody had closed it.
    mayEnd: true,
  },
  {
    name: 'tmux killed at the target',
    strike: async ({ lab }) => void (await lab.exec('n2', ['pkill', '-KILL', 'tmux'])),
  },
  {
    name: 'old terminal closed',
    strike: async ({ lab }) => void (await lab.exec('n1', ['pkill', '-KILL', 'tmux'])),
    mayEnd: true,
  },
]

export const SOCKET_FAULTS: readonly Fault[] = [
  {
    name: 'its port taken at the target',
    strike: async ({ lab }) =>
      void (await lab.exec('n2', [
        'sh',
        '-c',
        `mkdir -p /taker; setsid python3 /srv/resource-sharing/test/workloads/sockets.py /taker keeper 0.0.0.0 ${PORT} </dev/null >/dev/null 2>&1 &`,
      ])),
    lastsMs: 3000,
    mend: async (scene) => await killAll(scene, 'n2', 'sockets[.]py /taker'),
  },
]

/** Strikes, lets the fault last, and mends it; without an end of its own, it lasts as long as `until`. */
export async function suffer(fault: Fault, scene: Scene, until: Promise<unknown>): Promise<void> {
  await fault.strike(scene)
  if (!fault.mend) return
  await (fault.lastsMs === undefined ? until : sleep(fault.lastsMs))
  await fault.mend(scene)
}
