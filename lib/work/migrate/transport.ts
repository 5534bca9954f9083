import { Transform } from 'node:stream'
import { frameBegin, frameEnd } from '../../base/frame.ts'
import { run, type Limits } from '../../base/command.ts'
import { runPiped } from '../../base/piped-commands.ts'
import type { Reach } from '../../mesh/remote/host.ts'
import { commandOn, saidBy } from '../../mesh/remote/run.ts'
import { answerOf, framedScript, READ_SCRIPT, type Script } from '../../mesh/remote/script.ts'
import { endOf, FOLDER, LAUNCH, launchWaiting, STEP, type Machine, type StepEnd } from './machine.ts'

// The program that writes the stream at the source, or reads it at the target. It is no step of the migration, since it
// changes nothing but the migration's own folder: it ends with the connection, and can be run again.
const ATTACHED = `
[ -f "${FOLDER}/$ID/steps.sh" ] || exit 3
export TERMINAL
sh "${FOLDER}/$ID/steps.sh" "$ATTACHED" || exit
`

// Images are sent while criu still writes them: the step that freezes the process runs beside the program that sends.
// What the step prints goes to stderr, out of the stream, and its status is the one that counts.
const FREEZE_AND_SEND = `
(${LAUNCH}) >&2 &
DUMPING=$!
export DUMPING
(${ATTACHED})
sent=$?
wait "$DUMPING" && exit "$sent"
exit
`

// The step that restores the process is started before the images arrive and waits for `go` from a named pipe: so its
// start costs no time while the process stands still.
const RECEIVE_AND_RESTORE = `
go=/run/resource-sharing/$ID.go
mkdir -p "\${go%/*}" && mkfifo "$go" && exec 7<>"$go" 8<"$go" || exit 1
rm -f "$go"
(exec 7>&-
${launchWaiting('8')}) &
restoring=$!
(exec 7>&- 8<&-
${ATTACHED})
received=$?
[ "$received" != 0 ] || printf 'go\\n' >&7
exec 7>&-
wait "$restoring"
restored=$?
[ "$received" = 0 ] || exit "$received"
exit "$restored"
`

export type Transport = {
  source: Machine
  target: Machine
  reach: Reach
  limits: Limits
  /** Variables of the shell for the source's step, besides those of the plan. */
  settings?: Readonly<Record<string, string>>
  /** Is told how many bytes more have gone, and zero at the end; from this machine, only when all have. */
  moved?: (bytes: number) => void
}

/** How a transfer ended, and at which end that was decided: at the source when it could not send, else at the target. */
export type Piped = { at: Machine; end: StepEnd }
type Side = { attached: string; body: string }

/** Sends the files that have to be there, while the process still runs. */
export async function stage(way: Transport): Promise<Piped> {
  return await pipe({ attached: 'stage', body: ATTACHED }, { attached: 'take', body: ATTACHED }, way)
}

/** Freezes the process, sends its images as they are, and has them restored, stopped: one command at each end. */
export async function freezeAndSend(way: Transport): Promise<Piped> {
  const send = { attached: 'send', body: FREEZE_AND_SEND }
  return await pipe(send, { attached: 'receive', body: RECEIVE_AND_RESTORE }, way)
}

async function pipe(sends: Side, takes: Side, way: Transport): Promise<Piped> {
  const { source, target, settings = {} } = way
  const values = { ...source.values('dump'), ...settings, ATTACHED: sends.attached }
  const take = framedScript(takes.body, { ...target.values('restore'), ATTACHED: takes.attached }, 'root')
  return source.host.ssh
    ? await through(sends.body, values, take, way)
    : await fromHere(sends.body, values, take, way)
}

type Values = Record<string, string>

/** From this machine: the shell pipes the stream straight into ssh, since to pass it through Node would slow it down. */
async function fromHere(body: string, values: Values, take: Script, way: Transport): Promise<Piped> {
  const { target, reach, limits, moved = () => undefined } = way
  const whole = `printf '%s' "$HEAD"\n${body}`
  const send = framedScript(whole, { ...values, HEAD: take.text }, 'root', 'stderr')
  const { file, args } = await commandOn(target.host, reach)
  const piped = `${READ_SCRIPT} | "$@"`
  const ended = await run({ file: 'sh', args: ['-c', piped, 'sh', file, ...args], input: send.text }, limits)
  const sent = answerOf(ended.stderr, send.nonce)
  const end = endOf(saidBy(ended, take.nonce, limits.timeoutMs))
  if (sent && sent.status !== 0) return blamed(way, endOf({ known: true, ...sent, stderr: '' }), end)
  const bytes = /^bytes (\d+)$/m.exec(sent?.output ?? '')?.[1]
  if (bytes !== undefined) [Number(bytes), 0].forEach((more) => moved(more))
  return { at: target, end }
}

/**
 * Which end a failed transfer is blamed on. The target may fail first: then the source only finds that nobody reads any
 * more, and has no reason of its own, and the target's reason is the one to tell. In all other cases the target only
 * saw the stream break off, and the source knows why.
 */
function blamed({ source, target }: Transport, sent: StepEnd, taken: StepEnd): Piped {
  const says = (end: StepEnd) => end.known && end.status !== 0 && end.facts.has('why')
  // Above 128 a signal has ended it: SIGPIPE does that to a program that writes where nobody reads any more. Other
  // statuses than `failed` have a meaning of their own.
  const mute = sent.known && (sent.status === STEP.failed || sent.status > 128) && !says(sent)
  return mute && says(taken) ? { at: target, end: taken } : { at: source, end: sent }
}

/** From another machine: its stream passes through this one, since the two need not be able to reach each other. */
async function through(body: string, values: Values, take: Script, way: Transport): Promise<Piped> {
  const { source, target, reach, limits, moved = () => undefined } = way
  const send = framedScript(body, values, 'root')
  const from = { ...(await commandOn(source.host, reach)), input: send.text }
  const to = { ...(await commandOn(target.host, reach)), input: take.text }
  const unframed = new Unframed(send.nonce, moved)
  const [sent, taken] = await runPiped(from, to, limits, unframed)
  const end = endOf(saidBy(taken, take.nonce, limits.timeoutMs))
  const { status } = unframed
  if (end.known || status === 0) return { at: target, end }
  if (status === undefined) return { at: source, end: { known: false, reason: 'it broke off' } }
  return { at: source, end: endOf({ known: true, status, output: sent.stderr, stderr: sent.stderr }) }
}

/**
 * Takes what a framed script prints out of its frame, so that what a login shell prints is not sent along. Gigabytes of
 * memory pass through, and are not searched: the end of the frame is the end of the stream, so its last bytes are held
 * back until there are no more. That is why this is neither `readFrame`, which needs all of an answer, nor the stream of
 * a job, which looks for the end in every byte and holds nothing back.
 */
export class Unframed extends Transform {
  readonly #begin: Buffer
  readonly #end: Buffer
  readonly #moved: (bytes: number) => void
  #held = Buffer.alloc(0)
  #inside = false
  /** The script's exit status; undefined when the stream ended before it came. */
  status: number | undefined

  constructor(nonce: string, moved: (bytes: number) => void) {
    super()
    this.#begin = Buffer.from(frameBegin(nonce))
    this.#end = Buffer.from(`${frameEnd(nonce)} `)
    this.#moved = moved
  }

  override _transform(chunk: Buffer, _encoding: string, done: () => void): void {
    let bytes = chunk
    if (!this.#inside) {
      bytes = Buffer.concat([this.#held, chunk])
      const at = bytes.indexOf(this.#begin)
      this.#held = at === -1 ? Buffer.from(bytes.subarray(-this.#begin.length)) : Buffer.alloc(0)
      if (at === -1) return done()
      this.#inside = true
      bytes = bytes.subarray(at + this.#begin.length)
    }
    // The end of the frame, a status of up to three digits and a newline: these bytes may be it.
    const tail = this.#end.length + 5
    if (bytes.length >= tail) {
      this.#pass(this.#held)
      this.#pass(bytes.subarray(0, -tail))
      this.#held = Buffer.from(bytes.subarray(-tail))
    } else {
      const all = Buffer.concat([this.#held, bytes])
      this.#pass(all.subarray(0, Math.max(0, all.length - tail)))
      this.#held = all.subarray(-tail)
    }
    done()
  }

  #pass(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#moved(bytes.length)
    this.push(bytes)
  }

  override _flush(done: (error?: Error) => void): void {
    const at = this.#held.indexOf(this.#end)
    const tail = at === -1 ? '' : this.#held.subarray(at + this.#end.length).toString()
    if (this.#inside && /^\d{1,3}\n$/.test(tail)) this.status = Number(tail)
    if (this.status !== 0) return done(new Error('what was sent is not the whole'))
    this.#moved(0)
    this.push(this.#held.subarray(0, at))
    done()
  }
}
