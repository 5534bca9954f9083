import { z } from 'zod'
import { Place } from '../../mesh/remote/stored-host.ts'

/** What is to be run, wherever that is. */
export const Work = z.object({
  argv: z.tuple([z.string()], z.string()),
  /** Where it runs there: below what was sent, or a folder of that machine (`/…`, `~/…`). Empty: where that is. */
  cwd: z.string(),
  /** What goes there: absolute here, and its relative path there. */
  send: z.array(z.object({ path: z.string(), as: z.string() })),
  /** Relative paths that come back. */
  returns: z.array(z.string()),
  /** Where they come to, absolute. */
  folder: z.string(),
  /** Variables of the environment that go with it, each `NAME=value`. */
  env: z.array(z.string()),
  /** How many CPUs it is expected to use. */
  cpu: z.number(),
})
export type Work = z.infer<typeof Work>

const there = { host: Place, boot: z.string() }
const Now = z.discriminatedUnion('state', [
  z.object({ state: z.literal('queued') }),
  /** Somebody sends its files; nothing has been started. */
  z.object({ state: z.literal('sending'), host: Place }),
  /** It was told to start; whether it has is not known yet. */
  z.object({ state: z.literal('starting'), ...there }),
  z.object({ state: z.literal('running'), ...there, pid: z.int(), heardAt: z.iso.datetime() }),
  /** It has ended there, and not everything has come back from there yet. */
  z.object({ state: z.literal('ended'), ...there, exitCode: z.int() }),
  z.object({
    state: z.literal('done'),
    node: z.string(),
    exitCode: z.int(),
    doneAt: z.iso.datetime(),
    /** What a person should know about what has come back. */
    notes: z.array(z.string()),
  }),
  /** It could not begin; or, with `node`, it ran there and has not made what was to come back. */
  z.object({
    state: z.literal('failed'),
    reason: z.string(),
    node: z.string().exactOptional(),
    exitCode: z.int().exactOptional(),
    notes: z.array(z.string()).exactOptional(),
  }),
  /** It ran, or may have run, and how that ended nobody will know. */
  z.object({ state: z.literal('lost'), node: z.string(), reason: z.string() }),
  z.object({ state: z.literal('cancelled') }),
])
export type Now = z.infer<typeof Now>

export const Job = z.object({
  id: z.string().regex(/^[a-z2-9]{6}$/),
  name: z.string().exactOptional(),
  work: Work,
  queuedAt: z.iso.datetime(),
  /** How many times a machine was tried. */
  attempt: z.int().nonnegative(),
  now: Now,
})
export type Job = z.infer<typeof Job>

/** Whether nothing more comes of it by itself. */
export function isOver({ now: { state } }: Job): boolean {
  return state === 'done' || state === 'failed' || state === 'lost' || state === 'cancelled'
}

/** What a table calls it. */
export function titleOf({ name, work }: Job): string {
  return name ?? work.argv.join(' ')
}
