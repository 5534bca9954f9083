import { verb } from '../verb.ts'
import { Doctor, FindMinus, MeshBalance, NodeTrit, ScumView } from './schemas.ts'

const ELSEWHERE = { readOnlyHint: true, idempotentHint: true, openWorldHint: true }
const HERE = { ...ELSEWHERE, openWorldHint: false }

export const seeing = [
  verb({
    name: 'mesh_balance',
    recipe: 'mesh-balance',
    title: 'Load of all machines',
    description:
      'Which machines of the mesh are loaded (+1 PLUS), balanced (0) or have room (-1 MINUS), or why one gave no measurement; their sum, the rule that applies, and who would send work to whom.',
    effect: ELSEWHERE,
    ...MeshBalance,
    load: async () => (await import('./mesh-balance.ts')).meshBalance,
  }),
  verb({
    name: 'find_minus',
    recipe: 'find-minus',
    title: 'Machines with the most room',
    description: 'The other machines with the most room, best first. Use it before sending work or files.',
    effect: ELSEWHERE,
    ...FindMinus,
    load: async () => (await import('./find-minus.ts')).findMinus,
  }),
  verb({
    name: 'node_trit',
    recipe: 'node-trit',
    title: 'Load of this machine',
    description: 'The trit of this machine, and its processes that use more than 30 % of a CPU.',
    effect: HERE,
    ...NodeTrit,
    load: async () => (await import('./node-trit.ts')).nodeTrit,
  }),
  verb({
    name: 'scum_view',
    recipe: 'scum-view',
    title: 'Processes to blame for load',
    description:
      'Which processes are to blame for the load, with a score and the action that the decision matrix has for each: migrate, throttle, allow or none.',
    effect: ELSEWHERE,
    ...ScumView,
    load: async () => (await import('./scum-view.ts')).scumView,
  }),
  verb({
    name: 'doctor',
    recipe: 'doctor',
    title: 'What a machine lacks',
    description: 'What a machine lacks for processes to be moved from it or to it, and what to install.',
    effect: ELSEWHERE,
    ...Doctor,
    load: async () => (await import('./doctor.ts')).doctor,
  }),
]
