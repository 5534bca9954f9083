import { z } from 'zod'
import { Place } from '../../mesh/remote/stored-host.ts'
import { CriuOptions } from './preflight/criu-options.ts'

/**
 * What a migration is about: written down before anything is touched, it is all that a later run needs to finish or
 * undo it.
 */
export const MigrationPlan = z.object({
  version: z.literal(1),
  id: z.string().regex(/^[a-z0-9]{12}$/),
  /** The machine where the process is; without `ssh`, this one. */
  source: Place,
  target: Place,
  process: z.object({
    pid: z.int().positive(),
    /** In ticks since the machine was started: with the boot's id, this process and no other. */
    start: z.string().regex(/^\d{1,20}$/),
    /** The kernel's id of this start, which containers share, a dot, and the start of the first process. */
    boot: z.string().regex(/^[0-9a-f-]{36}\.\d{1,20}$/),
    /** The kernel's name of the command, as it is. */
    command: z.string(),
    /** Processes of the tree, at the time of planning. */
    tasks: z.int().positive(),
    /** Of the whole tree. */
    rssBytes: z.number().nonnegative(),
  }),
  /** CPUs that it is expected to use on the target. */
  cpu: z.number().nonnegative(),
  via: z.enum(['ssh', 'taildrop']),
  /** Files that go along, as absolute paths, and the folders that have to be there. */
  ship: z.array(z.string()),
  folders: z.array(z.string()),
  /** Hashes of those of them that are on the target already, the same as here before the freeze. */
  known: z.array(z.string().regex(/^[0-9a-f]{64}$/)),
  /** What criu is told that it may carry; absent where there is nothing of the kind. */
  criu: CriuOptions.exactOptional(),
  /** The terminal that moves with it; absent where it has none. */
  terminal: z
    .object({
      path: z.string().regex(/^\/dev\/pts\/\d{1,10}$/),
      /** As the kernel numbers it at the source. */
      number: z.int().nonnegative(),
      rows: z.int().nonnegative(),
      columns: z.int().nonnegative(),
    })
    .exactOptional(),
  /** What is not afterwards as it was before, a line each. */
  changes: z.array(z.string()).default([]),
  keepImages: z.boolean(),
  /** The target was named by the person, who may send it one process right after another. */
  named: z.boolean(),
})
export type MigrationPlan = z.infer<typeof MigrationPlan>
