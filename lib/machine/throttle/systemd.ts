import { access } from 'node:fs/promises'
import { run, type Command } from '../../base/command.ts'
import { Failure } from '../../base/errors.ts'
import { plain } from '../../base/text.ts'
import type { Means } from './means.ts'

/** Holds a tree by a scope of systemd's with a CPU quota. */
export const systemd: Means = {
  title: 'systemd scope (CPUQuota)',
  linuxOnly: true,
  limits: true,
  onlyWhenAsked: false,
  releasedBySh: false,
  async missing() {
    const booted = await access('/run/systemd/system').then(
      () => true,
      () => false,
    )
    return booted ? undefined : 'systemd does not run here'
  },
  plan: async () => ({}),
  async apply({ id, tree, percent }) {
    await must(
      startScope(
        id,
        tree.map(({ pid }) => pid),
        percent,
        isRoot(),
      ),
    )
  },
  async undo(tree, _undo, id) {
    // Stopping the scope would end its processes: they stay in it, without the quota. It goes when they have ended.
    if (tree.length > 0) await must(withoutQuota(id, isRoot()))
  },
}

/**
 * The call of org.freedesktop.systemd1.Manager.StartTransientUnit, as `busctl` takes its arguments; CPUQuota is there
 * microseconds of CPU time a second (systemd.resource-control(5), org.freedesktop.systemd1(5)).
 */
export function startScope(id: string, pids: number[], percent: number, root: boolean): Command {
  const unit = ['ssa(sv)a(sa(sv))', scope(id), 'fail', '2']
  const properties = ['PIDs', 'au', String(pids.length), ...pids.map(String)]
  const quota = ['CPUQuotaPerSecUSec', 't', String(Math.round(percent * 10_000))]
  const manager = [
    'org.freedesktop.systemd1',
    '/org/freedesktop/systemd1',
    'org.freedesktop.systemd1.Manager',
  ]
  const call = ['call', ...manager, 'StartTransientUnit', ...unit, ...properties, ...quota, '0']
  return { file: 'busctl', args: [root ? '--system' : '--user', ...call] }
}

export function withoutQuota(id: string, root: boolean): Command {
  return {
    file: 'systemctl',
    args: [root ? '--system' : '--user', 'set-property', '--runtime', scope(id), 'CPUQuota='],
  }
}

function scope(id: string): string {
  return `resource-sharing-${id}.scope`
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}

async function must(command: Command): Promise<void> {
  const ended = await run(command, { timeoutMs: 10_000, signal: new AbortController().signal })
  if (ended.exitCode !== 0)
    throw new Failure(`${command.file} failed: ${plain(ended.stderr) || 'without a word'}`)
}
