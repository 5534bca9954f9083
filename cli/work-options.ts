import { EXPECTED_CPUS } from '../verbs/bounds.ts'
import type { WorkInput } from '../verbs/run/schemas.ts'
import { numberOf } from './numbers.ts'
import type { Context } from './recipe.ts'

/** What every recipe that takes a command takes. */
export const workOptions = {
  send: { type: 'string', multiple: true },
  return: { type: 'string', multiple: true },
  cwd: { type: 'string' },
  cpus: { type: 'string' },
} as const

/** The same as verbs take it. @throws UsageError */
export function workInput({
  values,
  operands,
}: Pick<Context<typeof workOptions>, 'values' | 'operands'>): WorkInput {
  const { send, return: returned, cwd } = values
  return {
    command: operands,
    send,
    return: returned,
    cwd,
    cpus: numberOf('--cpus', values.cpus, EXPECTED_CPUS),
    folder: process.cwd(),
  }
}
