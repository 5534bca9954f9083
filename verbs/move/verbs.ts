import { verb } from '../verb.ts'
import {
  MigratePreflight,
  MigrateRecover,
  MigrateScum,
  Migrations,
  OneMigration,
  PlanRebalance,
  Rebalance,
  Terminals,
} from './schemas.ts'

const READS = { readOnlyHint: true, idempotentHint: true, openWorldHint: true }
const MOVES = { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true }
const HERE = { ...READS, openWorldHint: false }

export const moving = [
  verb({
    name: 'migrate_preflight',
    recipe: 'migrate-scum --dry-run',
    title: 'Whether a process can move',
    description:
      'Whether a running process can move to another machine, where to, and what would change by it; or why not. Changes nothing: use it before migrate_scum.',
    effect: READS,
    ...MigratePreflight,
    load: async () => (await import('./migrate-scum.ts')).migratePreflight,
  }),
  verb({
    name: 'migrate_scum',
    recipe: 'migrate-scum',
    title: 'Move a running process',
    description:
      'Moves a running process, with its memory, children and open files, to a machine that has room. At most one copy ever runs. On outcome doubt, tell the person what decide or `just migrate-recover` says.',
    effect: MOVES,
    ...MigrateScum,
    load: async () => (await import('./migrate-scum.ts')).migrateScum,
  }),
  verb({
    name: 'migrations',
    recipe: 'migrations',
    title: 'Migrations',
    description: 'What is being moved or in doubt, and what has been moved.',
    effect: HERE,
    ...Migrations,
    load: async () => (await import('./migrations.ts')).migrations,
  }),
  verb({
    name: 'one_migration',
    recipe: 'migrations ID',
    title: 'One migration',
    description: 'Everything that is written down of a migration.',
    effect: HERE,
    ...OneMigration,
    load: async () => (await import('./migrations.ts')).oneMigration,
  }),
  verb({
    name: 'migrate_recover',
    recipe: 'migrate-recover',
    title: 'Bring migrations to their end',
    description: 'Finishes or undoes migrations that were interrupted; may be called again and again.',
    effect: { ...MOVES, idempotentHint: true },
    ...MigrateRecover,
    load: async () => (await import('./migrations.ts')).migrateRecover,
  }),
  verb({
    name: 'terminals',
    recipe: 'attach --list',
    title: 'Terminals of processes that have moved',
    description:
      'Processes that have moved with their terminals, and where they are. A person connects by just attach ID.',
    effect: READS,
    ...Terminals,
    load: async () => (await import('./attach.ts')).terminals,
  }),
  verb({
    name: 'plan_rebalance',
    recipe: 'rebalance',
    title: 'What should move in the mesh',
    description:
      'What should be moved, held back, woken or started for the load of the mesh to settle, and why. Changes nothing.',
    effect: READS,
    ...PlanRebalance,
    load: async () => (await import('./rebalance.ts')).planRebalance,
  }),
  verb({
    name: 'rebalance',
    recipe: 'rebalance --apply',
    title: 'Settle the load of the mesh',
    description: 'Does what plan_rebalance says.',
    effect: MOVES,
    ...Rebalance,
    load: async () => (await import('./rebalance.ts')).rebalance,
  }),
]
