import type { ChalkInstance } from 'chalk'
import { plain } from '../../base/text.ts'
import type { Act, Scene } from './scene.ts'
import { fit, wrapped } from './text.ts'

/** A line for each thing that is under way or has just ended: those that were begun on the screen first. */
export function underWayLines(
  { acts, underWay }: Scene,
  most: number,
  width: number,
  colours: ChalkInstance,
): string[] {
  const own = acts.map((act) => ({
    text: actText(act),
    style: styleOf(act.state, colours),
    whole: act.state === 'failed',
  }))
  // A migration that was begun here is told of once.
  const others = underWay.migrations.filter(
    ({ pid, from }) => !acts.some((act) => act.deed === 'migrate' && act.pid === pid && act.host === from),
  )
  const migrations = others.map(({ pid, command, from, to, state, step, outcome }) => ({
    text: `PID ${pid} (${plain(command, 40)}) ${from} -> ${to}: ${outcome ?? step ?? state}`,
    style: state === 'in doubt' || outcome === 'gone' ? colours.red : colours.cyan,
    whole: false,
  }))
  const jobs = underWay.jobs.map(({ id, title, state, node }) => ({
    text: `job ${id} (${plain(title, 60)}) on ${node}: ${state}`,
    style: colours.cyan,
    whole: false,
  }))
  const all = [...own, ...migrations, ...jobs]
  const shown = all.slice(0, all.length > most ? most - 1 : most)
  const lines = shown.flatMap(({ text, style, whole }, index) => {
    // Why something could not be done is read to its end, where there is room.
    const room = whole ? most - (shown.length - 1 - index) - (all.length > most ? 1 : 0) - index : 1
    return wrapped(text, width, Math.max(1, Math.min(4, room))).map((line) => style(fit(line, width)))
  })
  const more = all.length - shown.length
  const fitting = lines.slice(0, more > 0 ? most - 1 : most)
  return more > 0 && most > 0 ? [...fitting, colours.dim(fit(`and ${more} more`, width))] : fitting
}

const WORDS = { migrate: 'migrate', throttle: 'throttle', kill: 'kill' } as const

function actText({ deed, host, pid, command, to, says }: Act): string {
  const where = to === undefined ? host : `${host} -> ${to}`
  return `${WORDS[deed]} PID ${pid} (${plain(command, 40)}) ${where}: ${says.replace(`${host}: `, '')}`
}

function styleOf(state: Act['state'], colours: ChalkInstance): (text: string) => string {
  return state === 'running' ? colours.cyan : state === 'done' ? colours.green : colours.red
}
