import type { Order } from '../watch/act.ts'

/** What can be done from the page to a process, in the words of `--allow`. */
export const DEEDS = ['migrate', 'throttle', 'kill'] as const satisfies readonly Order['deed'][]
