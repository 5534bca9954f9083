import { Transform } from 'node:stream'
import { runPiped } from '../command.ts'
import type { Reach } from '../host/host.ts'
import { commandOn, saidBy } from '../host/run.ts'
import { framedScript } from '../host/script.ts'
import { endOf, FOLDER, LAUNCH, type Machine, type StepEnd, type StepLimits } from './machine.ts'

// Sums are made while the images go. Files that have changed since they were staged come in an archive of their own.
const SEND = `
dir=${FOLDER}/$ID
[ -e "$dir/dumped" ] && cd "$dir" || exit 3
(sha256sum images/* tasks >sums.part && mv sums.part sums) &
tar -cf - images tasks || exit 1
[ ! -s changed ] || tar -cf - -C / --transform='flags=r;s,^\\./,files/,' --null -T "$dir/changed" || exit 1
wait
tar -cf - sums
`

// What the files looked like is written down before they are read: what changes later is sent again.
const STAGE = `
dir=${FOLDER}/$ID
cd "$dir" && : >sent && : >staging || exit 3
while IFS= read -r word; do printf '.%b\\0' "$word"; done <folders >staging
while IFS= read -r word; do
  file=$(printf '%b.' "$word") file=\${file%.}
  printf '%s %s\\n' "$word" "$(stat -c '%s %.9Y %.9Z %i' -- "$file")" >>sent
  printf '.%s\\0' "$file"
done <ship >>staging
tar -cf - -C / --no-recursion --transform='flags=r;s,^\\./,files/,' --null -T "$dir/staging"
# 1: a file has changed while it was read; it will be sent again.
[ $? -le 1 ]
`

const TAKE = `
dir=${FOLDER}/$ID
[ -f "$dir/steps.sh" ] || exit 3
rm -rf "$dir/staged" && mkdir "$dir/staged" && tar -C "$dir/staged" -xif -
`

// What arrives is a folder of its own, new each time; then the restore is a step like any other.
const RECEIVE = `
dir=${FOLDER}/$ID
[ -f "$dir/steps.sh" ] && [ ! -e "$dir/continued" ] || exit 3
rm -rf "$dir/in" && mkdir "$dir/in" || exit 1
tar -C "$dir/in" -xif - || exit 1
${LAUNCH}`

/**
 * Sends the images and has them restored, stopped, in one command at each end.
 *
 * @param moved is told how many bytes more have gone
 */
export const sendAndRestore = (way: Way): Promise<StepEnd> => pipe(SEND, RECEIVE, 'restore', way)

/** Sends the files that have to be there, while the process still runs. */
export const stage = (way: Way): Promise<StepEnd> => pipe(STAGE, TAKE, 'stage', way)

export type Way = {
  source: Machine
  target: Machine
  reach: Reach
  limits: StepLimits
  /** Is told how many bytes more have gone. */
  moved: (bytes: number) => void
}

async function pipe(sends: string, takes: string, step: string, way: Way): Promise<StepEnd> {
  const { source, target, reach, limits, moved } = way
  const send = framedScript(sends, source.values(step), 'root')
  const take = framedScript(takes, target.values(step), 'root')
  const from = { ...(await commandOn(source.host, send, reach)), input: send.text }
  const to = { ...(await commandOn(target.host, take, reach)), input: take.text }
  const unframed = new Unframed(send.nonce, moved)
  const [sent, taken] = await runPiped(from, to, limits, unframed)
  const end = endOf(saidBy(taken, take.nonce, limits.timeoutMs))
  if (end.known) return end
  const failed = saidBy(sent, send.nonce, limits.timeoutMs)
  return { known: false, reason: unframed.failure ?? (failed.known ? end.reason : failed.reason) }
}

/** Takes what a framed script prints out of its frame, so that what a login shell prints is not sent along. */
export class Unframed extends Transform {
  readonly #begin: Buffer
  readonly #end: Buffer
  readonly #moved: (bytes: number) => void
  #held = Buffer.alloc(0)
  #inside = false
  /** Why what came is not the whole. */
  failure: string | undefined

  constructor(nonce: string, moved: (bytes: number) => void) {
    super()
    this.#begin = Buffer.from(`\n${nonce} begin\n`)
    this.#end = Buffer.from(`\n${nonce} end `)
    this.#moved = moved
  }

  override _transform(chunk: Buffer, _encoding: string, done: () => void): void {
    let bytes = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk
    if (!this.#inside) {
      const at = bytes.indexOf(this.#begin)
      if (at === -1) {
        this.#held = Buffer.from(bytes.subarray(-this.#begin.length))
        return done()
      }
      this.#inside = true
      bytes = bytes.subarray(at + this.#begin.length)
    }
    // The end of the frame, its status and a newline, may be the last bytes.
    const sure = Math.max(0, bytes.length - this.#end.length - 5)
    this.#held = Buffer.from(bytes.subarray(sure))
    if (sure > 0) {
      this.#moved(sure)
      this.push(bytes.subarray(0, sure))
    }
    done()
  }

  override _flush(done: (error?: Error) => void): void {
    const at = this.#held.indexOf(this.#end)
    const status =
      at === -1
        ? undefined
        : this.#held
            .subarray(at + this.#end.length)
            .toString()
            .trim()
    if (!this.#inside || status !== '0') {
      this.failure =
        status === undefined ? 'the images broke off' : `the images can't be read (status ${status})`
      return done(new Error(this.failure))
    }
    this.push(this.#held.subarray(0, at))
    done()
  }
}
