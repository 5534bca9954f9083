import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../base/errors.ts'
import { liveProcesses, treeOf } from '../live-processes.ts'
import { continueAll, signal } from '../signals.ts'
import { keyOf, stoppedNow, toContinue, type Means } from './means.ts'

const WITHIN_MS = 3000
const POLL_MS = 10

/** Stops a tree until it is released. Those that somebody else had stopped are not continued by the release. */
export const pause: Means = {
  title: 'pause (SIGSTOP)',
  linuxOnly: false,
  limits: false,
  onlyWhenAsked: true,
  releasedBySh: true,
  missing: async () => undefined,
  plan: async ({ tree }) => stoppedNow(tree),
  async apply({ tree: [root] }, undo, save) {
    if (!root) return
    const deadline = performance.now() + WITHIN_MS
    let known = undo
    // Parents first, and again until nothing runs. What is born meanwhile is written down before it is stopped: with
    // its parent gone, nothing else would tell of it.
    for (;;) {
      const tree = treeOf(await liveProcesses(), root)
      const running = tree.filter(({ stopped }) => !stopped)
      if (running.length === 0) return
      if (performance.now() > deadline)
        throw new Failure('it does not stop: it waits for a disk, or forks without end')
      if (running.some((each) => known[keyOf(each)] === undefined)) {
        known = { ...stoppedNow(running), ...known }
        await save(known)
      }
      for (const each of running) await signal(each, 'SIGSTOP')
      await sleep(POLL_MS)
    }
  },
  undo: async (tree, undo) => await continueAll(toContinue((await liveProcesses()).values(), tree, undo)),
}
