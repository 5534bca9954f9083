import { KEEPERS, waitingFor } from '../../process/ancestry.ts'
import type { SourceFacts } from '../facts/facts.ts'
import type { Refusal } from './refusal.ts'
import { eachOf, some, who } from './words.ts'

/** How to start a program that can be moved. */
const DETACHED = 'start it with `setsid PROGRAM < /dev/null > log 2>&1 &`, and it can move'

/** Majors of ttys, of /dev/tty, /dev/console and /dev/ptmx, and of Unix98 ones: Documentation/admin-guide/devices.txt. */
const TERMINAL_MAJORS = new Set([4, 5, 136, 137, 138, 139, 140, 141, 142, 143])

export function isTerminal({ kind, device }: { kind: string; device: { major: number } }): boolean {
  return kind === 'character' && TERMINAL_MAJORS.has(device.major)
}

export function onTerminal(source: SourceFacts): Refusal[] {
  const controlled = source.tree.filter(({ terminal }) => terminal !== 0)
  const open = eachOf(source, (task) => task.open.filter((file) => isTerminal(file)))
  if (controlled.length === 0 && open.length === 0) return []
  const tasks = [...controlled, ...open.map(({ task }) => task)].map((task) => who(task))
  return [
    {
      code: 'terminal',
      sentence: `${some(tasks)} has a terminal, which can't move`,
      advice: DETACHED,
      at: 'source',
    },
  ]
}

/** A leader that has ended counts as one outside: nobody could be given its number. A terminal's is told of above. */
export function leadersOutside({ tree }: SourceFacts): Refusal[] {
  const pids = new Set(tree.map(({ pid }) => pid))
  const orphans = tree.filter(({ terminal, state }) => terminal === 0 && state !== 'Z')
  const advice = DETACHED
  const session = orphans.find((task) => !pids.has(task.session))
  if (session) {
    const sentence = `${who(session)} is in the session of PID ${session.session}, which would not move with it`
    return [{ code: 'session-outside', sentence, advice, at: 'source' }]
  }
  const group = orphans.find((task) => !pids.has(task.group))
  if (!group) return []
  const sentence = `${who(group)} is in the process group of PID ${group.group}, which would not move with it`
  return [{ code: 'group-outside', sentence, advice, at: 'source' }]
}

/** Units of sshd, cron and at: what these have started is not started again by systemd. */
const SESSION_SERVICES = /^(?:user@\d+|sshd?(?:@.*)?|crond?|atd|dropbear(?:@.*)?|tailscaled)\.service$/

export function service({ tree }: SourceFacts): Refusal[] {
  for (const task of tree)
    for (const cgroup of task.cgroups) {
      const unit = cgroup.split('/').findLast((name) => /\.(?:service|scope)$/.test(name))
      if (unit === undefined || unit.endsWith('.scope') || SESSION_SERVICES.test(unit)) continue
      const sentence = `${who(task)} belongs to ${some([unit])}, which would start it again here`
      return [
        {
          code: 'service',
          sentence,
          advice: `run the service there, and \`systemctl stop\` it here`,
          at: 'source',
        },
      ]
    }
  return []
}

/** Whoever waits for its end: it comes here when the process goes on there, and a second one may be started. */
export function watched({ tree: [task], ancestors }: SourceFacts): Refusal[] {
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

/** What waits where no signal reaches it can't be frozen. */
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
