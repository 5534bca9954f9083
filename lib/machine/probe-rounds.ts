import { BEGIN, CONSTANTS, END, FACTS, OWNERS, PS, SAMPLE, SETTING, UNITS } from './probe-parts.ts'
import { SHOW } from './reservations/script.ts'

/** What is asked for in a round: the load; also who keeps the machine busy; also the users of all processes. */
export type Asked = 'load' | 'processes' | 'users'

/** How long it goes on by itself at most when it is stuck in what it prints, which nobody reads. */
const STUCK_SECONDS = 30

/** A line that asks for a round. Its answer is framed by the nonce, which is another one each time. */
export function roundRequest(asked: Asked, nonce: string): string {
  return `${asked} ${nonce}\n`
}

/**
 * POSIX sh that answers each line of `roundRequest` on its standard input as the probe would, with one sample of the
 * processes instead of two: the one of the round before is the other. It ends with its standard input, and by itself when
 * two rounds have passed in which nobody asked: on Linux a round without processes starts no other program but that watch.
 */
export function probeRounds(roundMs: number): string {
  return [SETTING, CONSTANTS, SHOW, LOOP]
    .join('\n')
    .replace('PATIENCE', String(Math.max(1, Math.ceil((2 * roundMs) / 1000))))
}

// One watch is set as a line comes. When its time has passed and the loop waits for a line, it ends; while it answers, as a
// machine that is overloaded does for long, it gets the time that it needs, unless nobody reads.
const LOOP = `
rs_answer() {
  ${BEGIN}
  ${FACTS}
  rs_show
  if [ "$rs_asked" = load ]; then :
  elif [ "$os" = Linux ]; then
    ${UNITS}
    printf 'window 0.1\\n'
    ${SAMPLE}
    if [ "$rs_asked" = users ]; then
      ${OWNERS}
    fi
  else
    ${PS}
  fi
  ${END}
}
rs_watch() {
  rs_late=
  (
    trap 'kill "$rs_sleep"; exit 0' TERM
    sleep PATIENCE & rs_sleep=$!
    wait "$rs_sleep"
    kill -USR1 $$ || exit 0
    sleep ${STUCK_SECONDS} & rs_sleep=$!
    wait "$rs_sleep"
    kill -KILL $$
  ) </dev/null >/dev/null &
  rs_dog=$!
}
rs_unwatch() { kill "$rs_dog"; wait "$rs_dog"; }
rs_waits=1
trap 'rs_unwatch' EXIT
trap 'rs_late=1; [ -z "$rs_waits" ] || exit 0' USR1
rs_watch
while IFS=' ' read -r rs_asked rs_nonce; do
  rs_waits=
  rs_unwatch
  rs_watch
  rs_answer </dev/null
  rs_waits=1
  if [ -n "$rs_late" ]; then rs_unwatch; rs_watch; fi
done
exit 0
`
