import { KEEPERS, SHELLS, waitingFor } from '../../../machine/ancestry.ts'
import type { SourceFacts, TaskFacts } from '../facts/facts.ts'
import type { Refusal } from '../facts/refusal.ts'
import { some, who } from './words.ts'

/** How to start a program that can be moved. */
export const DETACHED = 'start it with `setsid PROGRAM < /dev/null > log 2>&1 &`, and it can move'

/**
 * The leaders of sessions and process groups that would not move along. A leader that has ended counts as outside, because
 * no copy could be given its number. The session of the process itself has another leader there, that of its terminal, or
 * none; and its group, where another leads it, another number.
 */
export function leadersOutside({ tree }: SourceFacts): Refusal[] {
  const [root] = tree
  const pids = new Set(tree.map(({ pid }) => pid))
  const orphans = tree.filter(({ state }) => state !== 'Z')
  const advice = DETACHED
  const session = orphans.find((task) => !pids.has(task.session) && task.session !== root.session)
  if (session) {
    const sentence = `${who(session)} is in the session of PID ${session.session}, which would not move with it`
    return [{ code: 'session-outside', sentence, advice, at: 'source' }]
  }
  const group = orphans.find((task) => !pids.has(task.group) && task.group !== root.group)
  if (!group) return []
  const sentence = `${who(group)} is in the process group of PID ${group.group}, which would not move with it`
  return [{ code: 'group-outside', sentence, advice, at: 'source' }]
}

/** Whether the process is in a session or a group of somebody who has ended, or stays here. */
export function hasLostLeader({ tree }: SourceFacts): boolean {
  const [{ session, group }] = tree
  const pids = new Set(tree.map(({ pid }) => pid))
  return !pids.has(session) || !pids.has(group)
}

/** Units of sshd, cron and at: what these have started is not started again by systemd. */
const SESSION_SERVICES = /^(?:user@\d+|sshd?(?:@.*)?|crond?|atd|dropbear(?:@.*)?|tailscaled)\.service$/
/** The manager of a user's own units. */
const USER_MANAGER = /^user@\d+\.service$/
/** Scopes in which a session, a terminal or a desktop has begun it: a name, but nobody's to start. */
const SESSION_SCOPES = /^(?:session-|init\.|tmux-spawn-|vte-spawn-|app-|tab\(|snap\.)/

/** What systemd keeps: it would start it again, or has limits for it that a person has set. */
export function service({ tree }: SourceFacts): Refusal[] {
  for (const task of tree)
    for (const cgroup of task.cgroups) {
      const units = cgroup.split('/').filter((name) => /\.(?:service|scope)$/.test(name))
      const unit = units.at(-1)
      const isUsers = units.slice(0, -1).some((name) => USER_MANAGER.test(name))
      if (unit === undefined || SESSION_SERVICES.test(unit)) continue
      if (unit.endsWith('.scope') && (!isUsers || SESSION_SCOPES.test(unit))) continue
      return [kept(task, unit, isUsers)]
    }
  return []
}

function kept(task: TaskFacts, unit: string, isUsers: boolean): Refusal {
  const [manager, systemctl] = isUsers ? ['systemd --user', 'systemctl --user'] : ['systemd', 'systemctl']
  const isScope = unit.endsWith('.scope')
  const why = isScope ? `a scope of ${manager}, with its limits` : `which ${manager} would start again here`
  // Backslashes are systemd's own escapes; what else there may be is no unit's name.
  const name = /^[\w@.:\\-]+$/.test(unit) ? (unit.includes('\\') ? `'${unit}'` : unit) : 'UNIT'
  const start = isScope
    ? `\`systemd-run${isUsers ? ' --user' : ''} --scope PROGRAM\` there`
    : `\`${systemctl} start ${name}\` there`
  return {
    code: 'service',
    sentence: `${who(task)} belongs to ${some([unit])}, ${why}`,
    advice: `\`${systemctl} stop ${name}\` here, and ${start}`,
    at: 'source',
  }
}

/** Programs that give a terminal to what they start, and close it when that ends. */
const TERMINAL_GIVERS = /^(?:tmux.*|screen|SCREEN|sshd.*|dropbear|login)$/

/** Whether the process leads the session of a terminal: who has started it closes that, and does nothing else. */
function isWholeTerminal(
  { pid, session, terminal, command }: SourceFacts['tree'][0],
  giver: string,
): boolean {
  return terminal !== 0 && session === pid && (SHELLS.test(command) || TERMINAL_GIVERS.test(giver))
}

/** Who waits for the end of the process would see it end here while it goes on there, and might start a second one. */
export function watched({ tree: [task], ancestors }: SourceFacts): Refusal[] {
  if (isWholeTerminal(task, ancestors[0]?.command ?? '')) return []
  const waiting = waitingFor(ancestors)
  const [parent] = waiting
  if (!parent) return []
  const keeper = waiting.findIndex(({ command }) => KEEPERS.test(command))
  const top = (keeper === -1 ? waiting : waiting.slice(0, keeper)).at(-1)
  const sentence = `${who(task)} was started by ${who(parent)}, which waits for its end and may start it again`
  const advice = top ? `move ${who(top)} with all it has started, or end that first` : DETACHED
  return [{ code: 'watched', sentence, advice, at: 'source' }]
}

export function elsewhere({ tree }: SourceFacts): Refusal[] {
  const task = tree.find(({ namespaces, state }) => namespaces.length > 0 && state !== 'Z')
  if (!task) return []
  const kinds = some(task.namespaces)
  const sentence = `${who(task)} is in a container or namespaces of its own (${kinds})`
  return [{ code: 'pid-namespace', sentence, advice: 'move the container with its own tools', at: 'source' }]
}

export function traced({ tree }: SourceFacts): Refusal[] {
  const task = tree.find(({ tracer }) => tracer !== 0)
  if (!task) return []
  const sentence = `${who(task)} is traced by PID ${task.tracer}, and only one can do that at a time`
  return [{ code: 'traced', sentence, advice: 'end the debugger first', at: 'source' }]
}

/** A process that waits in the kernel where no signal reaches it can't be frozen. */
export function stuck({ tree, stuck: pids = [] }: SourceFacts): Refusal[] {
  const task = tree.find(({ pid }) => pids.includes(pid))
  if (!task) return []
  const sentence = `${who(task)} waits in the kernel and can't be stopped: for a disk, a network file system, or a child that borrows its memory (vfork)`
  return [{ code: 'uninterruptible', sentence, advice: 'try again when that is over', at: 'source' }]
}

/** cpulimit continues what has been stopped, by whomever: a copy that is to stand still would run. */
export function limited({ tree, limited: pids }: SourceFacts): Refusal[] {
  const task = tree.find(({ pid }) => pids.includes(pid))
  if (!task) return []
  const sentence = `${who(task)} is held back by cpulimit, which would continue it while it moves`
  return [
    {
      code: 'throttled',
      sentence,
      advice: `release it first: \`just scum-throttle ${task.pid} --release\``,
      at: 'source',
    },
  ]
}
