import { verb } from '../verb.ts'
import { Close, Open, ScumKill, ScumRelease, ScumThrottle, Throttled } from './schemas.ts'

const HERE = { readOnlyHint: false, openWorldHint: false }

export const holding = [
  verb({
    name: 'scum_throttle',
    recipe: 'scum-throttle',
    title: 'Slow a process down',
    description:
      'Slows a process of this machine and its children down, or stops them with pause, until scum_release. Nothing of it is lost.',
    effect: { ...HERE, destructiveHint: false, idempotentHint: false },
    ...ScumThrottle,
    load: async () => (await import('./scum-throttle.ts')).scumThrottle,
  }),
  verb({
    name: 'scum_release',
    recipe: 'scum-throttle --release',
    title: 'Let a process go again',
    description: 'Undoes scum_throttle.',
    effect: { ...HERE, destructiveHint: false, idempotentHint: true },
    ...ScumRelease,
    load: async () => (await import('./scum-throttle.ts')).scumRelease,
  }),
  verb({
    name: 'throttled',
    recipe: 'throttled',
    title: 'What is held back',
    description: 'The processes that scum_throttle holds.',
    effect: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    ...Throttled,
    load: async () => (await import('./scum-throttle.ts')).throttled,
  }),
  verb({
    name: 'scum_kill',
    recipe: 'scum-kill',
    title: 'End processes',
    description:
      'Ends processes of this machine, kindly first: what they have not saved is lost. Ask the person before.',
    effect: { ...HERE, destructiveHint: true, idempotentHint: true },
    ...ScumKill,
    load: async () => (await import('./scum-kill.ts')).scumKill,
  }),
  verb({
    name: 'close',
    recipe: 'close',
    title: 'Keep work away from this machine',
    description: 'No more work comes to this machine until open; what is here goes on.',
    effect: { ...HERE, destructiveHint: false, idempotentHint: true },
    ...Close,
    load: async () => (await import('./close.ts')).close,
  }),
  verb({
    name: 'open',
    recipe: 'open',
    title: 'Let work come to this machine',
    description: 'Undoes close.',
    effect: { ...HERE, destructiveHint: false, idempotentHint: true },
    ...Open,
    load: async () => (await import('./close.ts')).open,
  }),
]
