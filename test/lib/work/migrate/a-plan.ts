import { MigrationPlan } from '../../../../lib/work/migrate/plan.ts'

/** Of a process that moves from n1 to n2. */
export const PLAN = MigrationPlan.parse({
  version: 1,
  id: 'abcdefabcdef',
  source: { name: 'n1' },
  target: { name: 'n2' },
  process: {
    pid: 4711,
    start: '1',
    boot: '00000000-0000-0000-0000-000000000000.1',
    command: 'x',
    tasks: 1,
    rssBytes: 0,
  },
  cpu: 1,
  via: 'ssh',
  ship: [],
  folders: [],
  known: [],
  keepImages: false,
  named: true,
})
