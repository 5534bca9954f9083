import { z } from 'zod'
import { MEANS_NAMES } from '../../lib/machine/throttle/all-means.ts'
import { THROTTLED_PERCENT } from '../../lib/model/policy.ts'
import { GRACE_SECONDS, MOST_PID } from '../bounds.ts'
import { meshInput } from '../see/schemas.ts'

export const pid = z.int().min(1).max(MOST_PID)
const force = z.boolean().optional().describe("another user's process too")
/** On which machine; without it, on this one. */
const where = {
  ...meshInput,
  host: z.string().optional().describe('on this machine of the mesh, instead of this one'),
}
const means = z.enum(MEANS_NAMES)
const percent = z.number().exactOptional().describe('of one CPU, for the process and its children together')

export const ScumThrottle = {
  input: z.strictObject({
    ...where,
    pid,
    percent: z.number().min(1).optional().describe(`of one CPU (${THROTTLED_PERCENT})`),
    pause: z.boolean().optional().describe('stop it altogether'),
    by: means.optional().describe('only by this means'),
    force,
  }),
  result: z.strictObject({
    pid: z.int(),
    command: z.string(),
    means,
    percent,
    processes: z.int().describe('how many are held: it and its children'),
    passedOver: z.array(z.strictObject({ means, why: z.string() })).describe('better means, and why not'),
  }),
}
export type ScumThrottleInput = z.output<typeof ScumThrottle.input>
export type ScumThrottleResult = z.output<typeof ScumThrottle.result>

export const ScumRelease = {
  input: z.strictObject({ ...where, pid }),
  result: z.strictObject({
    released: z.array(
      z.strictObject({
        pid: z.int(),
        command: z.string(),
        means,
        outcome: z.enum(['released', 'gone', 'another process']),
      }),
    ),
  }),
}
export type ScumReleaseInput = z.output<typeof ScumRelease.input>
export type ScumReleaseResult = z.output<typeof ScumRelease.result>

export const Throttled = {
  input: z.strictObject({}),
  result: z.strictObject({
    held: z.array(
      z.strictObject({ pid: z.int(), command: z.string(), means, percent, since: z.iso.datetime() }),
    ),
  }),
}
export type ThrottledInput = z.output<typeof Throttled.input>
export type ThrottledResult = z.output<typeof Throttled.result>

export const ScumKill = {
  input: z.strictObject({
    ...where,
    pids: z.array(pid).min(1),
    graceSeconds: z
      .number()
      .min(GRACE_SECONDS.least)
      .max(GRACE_SECONDS.most)
      .optional()
      .describe('between SIGTERM and SIGKILL (10)'),
    force,
  }),
  result: z.strictObject({
    processes: z.array(
      z.strictObject({
        pid: z.int(),
        command: z.string(),
        outcome: z.enum(['ended', 'killed', 'still there']),
      }),
    ),
  }),
}
export type ScumKillInput = z.output<typeof ScumKill.input>
export type ScumKillResult = z.output<typeof ScumKill.result>

const closing = z.strictObject({
  closed: z.boolean(),
  reason: z.string().optional(),
  for: z.enum(['everybody', 'user']).describe('whose work it counts for'),
})
export const Close = {
  input: z.strictObject({ reason: z.string().optional(), timeoutSeconds: z.number().optional() }),
  result: closing,
}
export const Open = { input: z.strictObject({ timeoutSeconds: z.number().optional() }), result: closing }
export type CloseInput = z.output<typeof Close.input>
export type OpenInput = z.output<typeof Open.input>
export type ClosingResult = z.output<typeof closing>
