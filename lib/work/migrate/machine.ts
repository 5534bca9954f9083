import type { Host, Reach } from '../../mesh/remote/host.ts'
import { startWaiting, type Limits } from '../../base/command.ts'
import { commandOn, saidBy, tell, type Said, type Task } from '../../mesh/remote/run.ts'
import { framedScript, NO_ROOT, octal } from '../../mesh/remote/script.ts'
import { RESERVATION_SECONDS } from '../../model/policy.ts'
import { MARKS } from '../../machine/reservations/script.ts'
import { shellText } from '../../base/shell-text.ts'
import { lastLine, plain } from '../../base/text.ts'
import { criuWords } from './preflight/criu-options.ts'
import { decisiveLine } from './criu.ts'
import type { MigrationPlan } from './plan.ts'

/** How a step ended on a machine, or that nobody knows whether it was taken. */
export type StepEnd = { known: false; reason: string } | ({ known: true; status: number } & Findings)
export type Findings = {
  /** Why it failed, in a line. */
  why: string
  /** Lines `key value`; the last of each key. */
  facts: ReadonlyMap<string, string>
  /** The marks that this migration has made on the machine. */
  marks: ReadonlySet<string>
}

/** With what a step ends; `lib/work/migrate/machine/common.sh` gives them. */
export const STEP = { done: 0, failed: 1, fenced: 3, tooLate: 4, refused: 5, gone: 6, hasRun: 7 } as const

/** Where the steps lie on a machine, and what they work on. */
export const FOLDER = '/var/lib/resource-sharing/migrations'

// The first step on a machine makes the migration's folder and puts the program there. No later step makes it again: where
// the folder is missing, the migration has been ended there.
const INSTALL = `
base=/var/lib/resource-sharing dir=${FOLDER}/$ID
[ ! -e "/run/resource-sharing/undone/$ID" ] || exit 3
(umask 022; mkdir -p "$base") || exit 1
# Another migration that ends may remove the folder above at any time, so both are made again until they are there.
made=
for each in 1 2 3 4 5; do
  if mkdir -p "$base/migrations" && mkdir "$dir"; then made=1 && break; fi
  [ ! -e "$dir" ] || break
done 2>/dev/null
[ -n "$made" ] || exit 1
installed() {
printf '%s\\n' "$PROCESS" >"$dir/process" && printf '%s' "$SHIP" >"$dir/ship" && printf '%s' "$KNOWN" >"$dir/known" &&
  printf '%s' "$FOLDERS" >"$dir/folders" || return 1
[ -s "$dir/ship" ] || [ -s "$dir/folders" ] || rm -f "$dir/ship"
cat >"$dir/program" && [ "$(wc -c <"$dir/program")" -eq "$SIZE" ] && mv "$dir/program" "$dir/steps.sh"
}
installed || { rm -rf "$dir"; exit 1; }
`

// A folder is renamed before it is removed: where power has failed in between, its remains lie under the new name.
const CLEAR = `rm -rf --one-file-system "$dir.gone"; rmdir "\${dir%/*}" 2>/dev/null`

// Starts a step in a session of its own, so that it goes on when the connection ends. Its standard input is what the
// descriptor 6 of who starts it is.
const START = `
dir=${FOLDER}/$ID
export LIMIT TTL CPU SETTLED FORWARD KEEP NEED_KIB DROP TO CRIU TERMINAL TERMINAL_NUMBER ROWS COLUMNS TARGET
if [ ! -f "$dir/steps.sh" ]; then ${CLEAR}; printf 'absent 1\\n'; exit 3; fi
# What it says goes to a file, which no connection can cut short: in memory, where a full disk is no hindrance.
out=/run/resource-sharing/$ID.$STEP.$$
mkdir -p "\${out%/*}" && : >"$out" && exec 4<"$out" 5>"$out" || exit 1
rm -f "$out"
setsid sh "$dir/steps.sh" "$STEP" <&6 6<&- >&5 2>&1 4<&- 5>&- &
wait $!
status=$?
cat <&4
exit $status
`

export const LAUNCH = `exec 6</dev/null${START}`

/** Starts a step that waits for the line `go` from a descriptor. Where that ends without it, the step is not taken. */
export const launchWaiting = (input: string) => `exec 6<&${input}
WAITS=1
export WAITS${START}`

// Undoes the migration on a machine. Where its folder is missing, its first step may still be on its way there: a mark
// below /run tells that step not to begin.
const UNDO = `
dir=${FOLDER}/$ID
if [ ! -f "$dir/steps.sh" ]; then
  mkdir -p /run/resource-sharing/undone && : >"/run/resource-sharing/undone/$ID" || exit 1
  sleep 0.1
fi
if [ ! -f "$dir/steps.sh" ]; then
  # What a power failure has left of its coming.
  rm -rf "$dir"
  ${CLEAR}
  set -- $PROCESS
  start_of() { set -- "$(cat "/proc/$1/stat" 2>/dev/null)"; set -- \${1##*) }; printf '%s' "\${20:-}"; }
  read -r boot </proc/sys/kernel/random/boot_id
  boot=$boot.$(start_of 1) start=$(start_of "$1")
  if [ "$boot" = "$3" ] && [ "$start" = "$2" ]; then printf 'process running\\n'; else printf 'process gone\\n'; fi
  exit 0
fi
${LAUNCH}`

/** A step whose command runs on its machine already: `step` lets it begin, `cancel` ends it without. */
export type Gate = { step: (limits: Limits) => Promise<StepEnd>; cancel: () => void }

/** One end of a migration: the steps that are taken there. */
export class Machine {
  readonly host: Host
  readonly #end: 'source' | 'target'
  readonly #plan: MigrationPlan
  readonly #reach: Reach

  constructor(host: Host, end: 'source' | 'target', plan: MigrationPlan, reach: Reach) {
    this.host = host
    this.#end = end
    this.#plan = plan
    this.#reach = reach
  }

  /** The first step: it brings the program with it. */
  async install(step: 'claim' | 'reserve', settings: Settings, limits: Limits): Promise<StepEnd> {
    const { ship, folders, known } = this.#plan
    const words = (paths: readonly string[]) => paths.map((path) => `${octal(path)}\n`).join('')
    const input = Buffer.from(programOf(this.#end, this.#plan.terminal !== undefined)).toString('latin1')
    const values = {
      SIZE: String(input.length),
      SHIP: words(ship),
      FOLDERS: words(folders),
      KNOWN: known.map((hash) => `${hash}\n`).join(''),
    }
    return await this.#tell({ body: `${INSTALL}${LAUNCH}`, input }, step, { ...settings, ...values }, limits)
  }

  async step(step: string, settings: Settings, limits: Limits): Promise<StepEnd> {
    return await this.#tell({ body: step === 'undo' ? UNDO : LAUNCH }, step, settings, limits)
  }

  /** Starts the command of a step ahead of time: when its turn comes it begins at once, without a new connection. */
  async ready(step: string): Promise<Gate> {
    const script = framedScript(launchWaiting('0'), this.values(step), 'root')
    const waiting = startWaiting({ ...(await commandOn(this.host, this.#reach)), input: script.text })
    return {
      step: async (limits) => endOf(saidBy(await waiting.go('go\n', limits), script.nonce, limits.timeoutMs)),
      cancel: () => waiting.cancel(),
    }
  }

  async #tell(
    task: Pick<Task, 'body' | 'input'>,
    step: string,
    settings: Settings,
    limits: Limits,
  ): Promise<StepEnd> {
    const values = { ...this.values(step), ...settings }
    return endOf(await tell(this.host, { ...task, values, as: 'root' }, this.#reach, limits))
  }

  /** What the programs on this machine are given. */
  values(step: string): Record<string, string> {
    const { id, process, cpu, keepImages, named, via, target, criu = {}, terminal } = this.#plan
    return {
      ID: id,
      STEP: step,
      PROCESS: `${process.pid} ${process.start} ${process.boot}`,
      LIMIT: '120',
      TTL: String(RESERVATION_SECONDS),
      CPU: cpu.toFixed(2),
      SETTLED: named ? '' : 'settled',
      KEEP: keepImages ? '1' : '',
      FORWARD: '',
      NEED_KIB: '0',
      DROP: via === 'taildrop' ? `resource-sharing-${id}.tar` : '',
      TO: target.ssh?.tailnet?.ip ?? '',
      CRIU: criuWords(criu)[this.#end === 'source' ? 'dump' : 'restore'],
      TERMINAL: terminal?.path ?? '',
      TERMINAL_NUMBER: String(terminal?.number ?? 0),
      ROWS: String(terminal?.rows ?? 24),
      COLUMNS: String(terminal?.columns ?? 80),
      TARGET: plain(target.name, 60),
    }
  }
}

type Settings = Readonly<Record<string, string>>

/** What a step said. */
export function endOf(said: Said): StepEnd {
  if (!said.known) return said
  const lines = said.output.split('\n').map((line) => /^(\w+) (.*)$/.exec(line))
  const pairs = lines.flatMap((match) => (match ? [{ key: match[1] ?? '', value: match[2] ?? '' }] : []))
  const facts = new Map(pairs.map(({ key, value }) => [key, value]))
  const log = pairs.flatMap(({ key, value }) => (key === 'log' ? [value] : []))
  const noRoot = said.status === NO_ROOT ? 'it needs root there, or a sudo that asks no password' : undefined
  const decisive = decisiveLine(log)
  const words = [facts.get('why'), decisive].filter((word) => word !== undefined).join(': ')
  const why =
    noRoot ?? (words || lastLine(said.stderr, 160) || lastLine(said.output, 160) || 'it does not say why')
  const marks = new Set(pairs.flatMap(({ key, value }) => (key === 'mark' ? [value] : [])))
  return { known: true, status: said.status, why: plain(why, 300), facts, marks }
}

// The last lines of the program. A step that was started ahead of time waits here: the shell has read all of the program
// by then, and begins at once.
const TAKE = `
[ -z "\${WAITS-}" ] || { read -r word && [ "$word" = go ] && exec </dev/null; } || exit 3
"step_$1"
exit
`

/** The program with the steps of one end, as it lies on the machine; only where it is needed with what makes a terminal. */
export function programOf(end: 'source' | 'target', withTerminal = false): string {
  const folder = import.meta.dirname
  const common = shellText(folder, 'machine/common.sh')
  const files = shellText(folder, 'machine/files.sh', 'machine/attributes.sh')
  const steps =
    end === 'source'
      ? shellText(folder, 'machine/source-files.sh', 'machine/source.sh')
      : [
          shellText(folder, 'machine/target-files.sh', 'machine/target-attributes.sh', 'machine/target.sh'),
          shellText(folder, 'machine/target-terminal.sh'),
          withTerminal ? terminalProgram(folder) : '',
        ].join('\n')
  return [common, MARKS, files, steps, TAKE].join('\n')
}

const END_OF_PROGRAM = 'END_OF_TERMINAL_PROGRAM'

/** A function of the shell that prints terminal.py. */
function terminalProgram(folder: string): string {
  const text = shellText(folder, 'terminal/terminal.py')
  return `terminal_program() {\n  cat <<'${END_OF_PROGRAM}'\n${text}\n${END_OF_PROGRAM}\n}`
}
