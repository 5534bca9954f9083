import type { OpenFile, SourceFacts, TaskFacts } from '../facts/facts.ts'
import type { CriuOptions } from './criu-options.ts'
import { eachOf, some, who } from './words.ts'

/** Majors of ttys, of /dev/tty, /dev/console and /dev/ptmx, and of Unix98 ones: Documentation/admin-guide/devices.txt. */
const TERMINAL_MAJORS = new Set([4, 5, 136, 137, 138, 139, 140, 141, 142, 143])
const [FIRST_PTS, LAST_PTS] = [136, 143]

type Device = { major: number; minor: number }
/** A process that is controlled by a terminal, or has it open as this file. */
export type Use = { task: TaskFacts; device: Device; file?: OpenFile }
/** A terminal as the plan of a migration keeps it. */
type MovingTerminal = { path: string; number: number; rows: number; columns: number }

export function isTerminal({ kind, device }: { kind: string; device: { major: number } }): boolean {
  return kind === 'character' && TERMINAL_MAJORS.has(device.major)
}

/** The terminal that controls who opens it, whichever that is. */
export function isDevTty({ kind, device }: { kind: string; device: Device }): boolean {
  return kind === 'character' && device.major === 5 && device.minor === 0
}

/** The device of a controlling terminal, as proc_pid_stat(5) packs it. */
function deviceOf(number: number): Device {
  return { major: (number >>> 8) & 0xf_ff, minor: ((number >>> 20) << 8) | (number & 0xff) }
}

/** N of /dev/pts/N; undefined for other terminals. */
function indexOf({ major, minor }: Device): number | undefined {
  return major < FIRST_PTS || major > LAST_PTS ? undefined : (major - FIRST_PTS) * 2 ** 20 + minor
}

export function isPts({ device }: Use): boolean {
  return indexOf(device) !== undefined
}

export function pathOf({ device }: Use): string {
  return `/dev/pts/${indexOf(device)}`
}

/** The numbers of terminals whose other end is the tree's: what `script` or a tmux server has. They move as they are. */
export function innerTerminals(source: SourceFacts): number[] {
  const found = eachOf(source, ({ open }) => open.flatMap(({ terminal }) => terminal ?? []))
  return [...new Set(found.map(({ thing }) => thing))]
}

/** Who uses terminals whose other end is somebody else's. */
export function outerUses(source: SourceFacts): Use[] {
  const inner = new Set<number | undefined>(innerTerminals(source))
  const controlled = source.tree.flatMap((task): Use[] =>
    task.terminal === 0 ? [] : [{ task, device: deviceOf(task.terminal) }],
  )
  const opened = eachOf(source, (task) => task.open.filter((file) => isTerminal(file)))
    .filter(({ task, thing }) => thing.terminal === undefined && !(isDevTty(thing) && task.terminal !== 0))
    .map(({ task, thing }): Use => ({ task, device: thing.device, file: thing }))
  return [...controlled, ...opened].filter(({ device }) => {
    const index = indexOf(device)
    return index === undefined || !inner.has(index)
  })
}

/** Who leads the session of a terminal takes it along as its own; another is in the session of one that stays here. */
export function leadsTerminal(source: SourceFacts): boolean {
  const [root] = source.tree
  return root.session === root.pid && outerUses(source).some(({ task, file }) => task === root && !file)
}

/** What is known of the one terminal that moves along; undefined where there is none. */
export function movingTerminal(source: SourceFacts): { terminal?: MovingTerminal } {
  const use = outerUses(source).find((each) => isPts(each))
  if (!use) return {}
  const path = pathOf(use)
  const size = source.terminals?.[path] ?? { rows: 24, columns: 80 }
  return { terminal: { path, number: source.tree[0].terminal, ...size } }
}

/** What criu has to be told for it. */
export function terminalOptions(source: SourceFacts): Pick<CriuOptions, 'shellJob' | 'terminalDevice'> {
  const uses = outerUses(source)
  if (uses.length === 0) return {}
  if (!leadsTerminal(source)) return { shellJob: true }
  const file = uses.find((each) => isPts(each) && each.file)?.file
  if (!file) return {}
  const { major, minor } = file.device
  // As makedev(3) packs it.
  const number = (major << 8) | (minor & 0xff) | ((minor >>> 8) << 20)
  const fileSystem = Number(file.identity.split(':')[0])
  return { terminalDevice: [number, fileSystem].map((each) => each.toString(16)).join(':') }
}

/** What is not afterwards as it was before: whole lines, safe to show. */
export function terminalChanges(source: SourceFacts): string[] {
  const { terminal } = movingTerminal(source)
  if (!terminal) return []
  const [root, ...rest] = source.tree
  const moves = `its terminal (${terminal.path}) moves too: the old one says where to, and \`just attach\` connects you to the new one`
  if (!leadsTerminal(source))
    return [
      moves,
      'Ctrl-Z does not stop it there: no shell comes along that could continue it',
      ...(source.tree.some(({ pid }) => pid === root.group)
        ? []
        : [`${who(root)} is in a process group with another number there`]),
    ]
  const [giver] = source.ancestors.filter(({ command }) => /^(?:tmux.*|screen|SCREEN)$/.test(command))
  const jobs = rest.filter(({ terminal: controlled, state }) => controlled !== 0 && state !== 'Z')
  return [
    moves,
    ...(giver && giver === source.ancestors[0] ? [`${who(giver)} stands still as long as it does`] : []),
    ...(jobs.length > 0
      ? [`${some(jobs.map((task) => who(task)))} can't open /dev/tty there, until started again`]
      : []),
  ]
}
