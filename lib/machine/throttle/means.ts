import type { LiveProcess } from '../live-processes.ts'

export type Undo = Record<string, string>

/** A process that is to be held back, with its descendants, parents first. */
export type Target = { id: string; tree: LiveProcess[]; percent: number }

/** One way to hold a process and its children back. */
export type Means = {
  /** In words, as the output says it. */
  title: string
  /** Whether it is made of what only Linux has. */
  linuxOnly: boolean
  /** Whether it holds to a percentage, so that a record tells that; else the percentage means nothing to it. */
  limits: boolean
  /** Whether it is left out unless the person asks for it by name. */
  onlyWhenAsked: boolean
  /** Whether lib/work/rebalance/hold-elsewhere.sh can undo it, on machines that need not have Node. */
  releasedBySh: boolean
  /** Why this machine does not have it; undefined when it does. */
  missing: (target: Target) => Promise<string | undefined>
  /** What `undo` will have to know, such as each process's priority of before; changes nothing yet. */
  plan: (target: Target) => Promise<Undo>
  /**
   * Holds the processes back. What `plan` has told is written down by then. Where more turns up that will have to be
   * undone, such as a child that was born meanwhile, `save` writes that down too, and it is called before the deed: if
   * this program is killed in between, a later run finds all that there is to undo.
   */
  apply: (target: Target, undo: Undo, save: (undo: Undo) => Promise<void>) => Promise<void>
  /**
   * Undoes what was applied, in part or wholly. The tree is as it is now; it is empty when the process is gone.
   *
   * @throws Failure when something stays held
   */
  undo: (tree: LiveProcess[], undo: Undo, id: string) => Promise<void>
  /** Whether it still does its work, where that depends on a process that may have been killed. */
  works?: (id: string) => Promise<boolean>
}

/** How a process is named in what a means needs to undo itself: with its start, so that it is no other. */
export function keyOf({ pid, start }: Pick<LiveProcess, 'pid' | 'start'>): string {
  return `${pid}/${start}`
}

const STOPPED = 'stopped'
const RUNNING = 'running'

/** Which processes of a tree are stopped already: a means that stops processes must not continue these in the end. */
export function stoppedNow(tree: readonly LiveProcess[]): Undo {
  return Object.fromEntries(tree.map((each) => [keyOf(each), each.stopped ? STOPPED : RUNNING]))
}

/**
 * What a means that stops processes has to continue: the tree as it is now, and those that were in it and have lost their
 * parent since. What was stopped before it was held stays stopped.
 */
export function toContinue(
  all: Iterable<LiveProcess>,
  tree: readonly LiveProcess[],
  undo: Undo,
): LiveProcess[] {
  const former = [...all].filter((each) => undo[keyOf(each)] === RUNNING)
  return [...new Set([...tree, ...former])].filter((each) => undo[keyOf(each)] !== STOPPED)
}
