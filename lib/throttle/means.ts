import type { LiveProcess } from '../process/live.ts'

export type Undo = Record<string, string>

/** A process that is to be held back, with its descendants, parents first. */
export type Target = { id: string; tree: LiveProcess[]; percent: number }

/** One way to hold a process and its children back. */
export type Means = {
  /** In words, as the output says it. */
  title: string
  /** Why this machine does not have it; undefined when it does. */
  missing: (target: Target) => Promise<string | undefined>
  /** What it will have to know to undo itself; changes nothing yet. */
  plan: (target: Target) => Promise<Undo>
  /** `save` writes down what has to be undone besides; it has to be there before it is done. */
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

/** Which of a tree somebody else had stopped: for a means that stops processes itself. */
export function stoppedNow(tree: readonly LiveProcess[]): Undo {
  return Object.fromEntries(tree.map((each) => [keyOf(each), each.stopped ? STOPPED : RUNNING]))
}

/** What has to be continued: the tree, and what was of it and has another parent now; not what was stopped before. */
export function toContinue(
  all: Iterable<LiveProcess>,
  tree: readonly LiveProcess[],
  undo: Undo,
): LiveProcess[] {
  const former = [...all].filter((each) => undo[keyOf(each)] === RUNNING)
  return [...new Set([...tree, ...former])].filter((each) => undo[keyOf(each)] !== STOPPED)
}
