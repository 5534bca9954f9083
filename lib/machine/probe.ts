import { randomBytes } from 'node:crypto'
import { BEGIN, CONSTANTS, END, FACTS, OWNERS, PS, SAMPLE, SETTING, UNITS } from './probe-parts.ts'
import { SHOW } from './reservations/script.ts'

/** A program for a POSIX `sh`, to be read from its standard input, and the nonce that frames its answer. */
export type Probe = { nonce: string; script: string }

/** What is asked besides the load. */
export type Sampling = {
  /** The processes too, over a window of so many milliseconds. */
  windowMs?: number
  /** Of the processes, also who began whom, and which of them are held back: see `Family`. */
  family?: boolean
}

/**
 * The program that asks a machine for its load, and with `windowMs` also for its processes, in one round trip.
 *
 * It prints lines `key value…` between `NONCE begin` and `NONCE end`; what a login shell prints before or after
 * can't be mistaken for them. It is one compound command: `sh` reads all of it before it runs any of it, and a
 * command in it can't eat the rest of standard input.
 */
export function probe({ windowMs, family = false }: Sampling = {}): Probe {
  const nonce = randomBytes(16).toString('hex')
  const processes = windowMs === undefined ? '' : sampleProcesses(windowMs / 1000, family ? FAMILY : '')
  const answer = [BEGIN, FACTS, SHOW, 'rs_show', processes, END]
  const script = ['{', `rs_nonce=${nonce}`, SETTING, CONSTANTS, ...answer, '} </dev/null', '']
  return { nonce, script: script.join('\n') }
}

// The records of what this user holds there lie beside the marks of a receiver.
const FAMILY = `
  read -r line </proc/sys/kernel/random/boot_id
  printf '%s family %s\\n' "$rs_nonce" "$line"
  cat "\${rs_own%/*}"/held/*.json`

// Not every sleep takes a part of a second; the window is what has passed by the machine's own clock. ps shows a lifetime
// average on Linux. What takes long is done while the window passes.
const sampleProcesses = (seconds: number, more: string) =>
  `
if [ "$os" = Linux ]; then
  ${UNITS}
  printf 'window %s\\n' ${seconds}
  ${SAMPLE}
  { sleep ${seconds} || sleep ${Math.ceil(seconds)}; } &
  ${OWNERS}${more}
  wait
  ${SAMPLE}
else
  ${PS}
fi
`.trim()
