import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { liveProcesses, treeOf } from '../lib/machine/live-processes.ts'
import { runScript, type Ran } from './run-script.ts'

/** Real processes on this machine, as root, and a state folder of the test file's own. */
export class LocalProcesses {
  /** The folder that is XDG_STATE_HOME for what is run. */
  state = ''
  readonly #started: ChildProcess[] = []

  constructor() {
    beforeAll(async () => {
      this.state = await mkdtemp(join(tmpdir(), 'rs-test-'))
    })
    afterEach(() => {
      for (const { pid } of this.#started.splice(0)) if (pid !== undefined) this.kill(pid)
    })
    afterAll(async () => await rm(this.state, { recursive: true }))
  }

  /** Ends a session that was started here. */
  kill(session: number): void {
    try {
      process.kill(-session, 'SIGKILL')
    } catch {
      // It has ended already.
    }
  }

  /** Starts a program in a session of its own, which ends with the test. */
  start(file: string, args: readonly string[]): number {
    const child = spawn(file, args, { detached: true, stdio: 'ignore' })
    this.#started.push(child)
    return child.pid ?? 0
  }

  /** A workload in a session of its own: a shell and `busy` children that spin. */
  workload(busy: number): number {
    const script = `i=0; while [ $i -lt ${busy} ]; do sh -c 'while :; do :; done' & i=$((i + 1)); done; wait`
    return this.start('sh', ['-c', script])
  }

  async just(script: string, ...args: string[]): Promise<Ran> {
    return await runScript(script, args, { XDG_STATE_HOME: this.state })
  }

  async records(): Promise<string[]> {
    return await readdir(join(this.state, 'resource-sharing', 'held')).catch(() => [])
  }
}

/** A process and its children, as they are now. */
export async function treeOfPid(pid: number) {
  const all = await liveProcesses()
  const root = all.get(pid)
  return root ? treeOf(all, root) : []
}
