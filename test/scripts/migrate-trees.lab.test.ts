import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { rounds } from '../rounds.ts'
import { REPOSITORY, Scene, type HostName, type Workload } from '../migrate/scene.ts'
import { faultsOf } from '../migrate/ticks.ts'
import { codesOf, movesAlong, trees, type Task } from '../migrate/trees.ts'

// What the preflight says of trees of processes that nobody has thought of, beside what happens to them.
const ROUNDS = rounds(8)

let scene: Scene
beforeAll(async () => {
  scene = await Scene.open('trees')
  await scene.sh('n1', 'ssh-keyscan n2.lan >>/root/.ssh/known_hosts 2>/dev/null')
})
afterEach(() => scene?.end())
afterAll(() => scene?.lab.close())

const names = (tree: readonly Task[]) => tree.map((_, index) => index)

async function started(tree: readonly Task[]): Promise<Workload> {
  const argv = ['python3', `${REPOSITORY}/test/workloads/tree.py`, 'FOLDER', `'${JSON.stringify(tree)}'`]
  const workload = await scene.start('n1', argv)
  for (const index of names(tree)) await scene.goesOn('n1', workload, `${index}.0`)
  return workload
}

/** Why the preflight refuses it, each code with its sentence. */
async function refusedBy({ pid }: Workload): Promise<Map<string, string>> {
  const question = JSON.stringify({ pids: [pid], target: 'n2.lan', copyFiles: true })
  const program = ['node', `${REPOSITORY}/cli/start.mjs`, 'test/lib/work/migrate/preflight-here.ts', question]
  const { stdout, stderr, exitCode } = await scene.lab.exec('n1', program, { timeoutMs: 240_000 })
  if (exitCode !== 0) throw new Error(stderr)
  const { refusals }: { refusals: { code: string; sentence: string }[] } = JSON.parse(stdout)
  return new Map(refusals.map(({ code, sentence }) => [code, sentence]))
}

/** For each task its session, its group and its parent, as numbers of tasks; its PID does not change. */
async function family(node: HostName, { folder }: Workload): Promise<string> {
  const list = await scene.sh(
    node,
    `ps -eo pid=,ppid=,sid=,pgid=,args= | grep -F '${folder} [' | grep -v grep`,
  )
  return list
    .split('\n')
    .map((line) => line.trim().split(/\s+/).slice(0, 4).join(' '))
    .toSorted()
    .join('\n')
}

/** A task that has noticed something wrong has told it, and ended. */
async function wrongs({ folder }: Workload): Promise<string> {
  return (
    await Promise.all(
      (['n1', 'n2'] as const).map(
        async (node) => await scene.sh(node, `grep . ${folder}/*.wrong 2>/dev/null || :`),
      ),
    )
  ).join('')
}

test(
  'a tree is refused by just what of it can not move, or moves whole: its families, what they share, and no tick lost',
  { timeout: 60_000 * (ROUNDS + 1) },
  async () => {
    let [moved, refused] = [0, 0]
    await fc.assert(
      fc
        .asyncProperty(trees, async (tree) => {
          const workload = await started(tree)
          const codes = codesOf(tree)
          const refusals = await refusedBy(workload)
          expect([...refusals.keys()].toSorted(), [...refusals.values()].join('; ')).toEqual(codes)
          const before = await family('n1', workload)
          const args = [String(workload.pid), '--target', 'n2', '--copy-files']
          const ran = await scene.move('n1', args)
          const along = movesAlong(tree)
          expect([ran.exitCode, ran.stderr]).toEqual(
            codes.length > 0 ? [5, expect.anything()] : [0, expect.anything()],
          )
          for (const index of names(tree)) {
            const task = `${index}.0`
            const there = codes.length === 0 && along[index] === true
            await scene.goesOn(there ? 'n2' : 'n1', workload, task)
            // The number of its last tick alone does not show that what its parent gives still comes.
            if (index > 0 && tree[index]?.link !== '')
              await scene.goesOn(there ? 'n2' : 'n1', workload, `${index}.taken`)
            const source = await scene.ticks('n1', workload, task)
            expect(faultsOf(source, await scene.ticks('n2', workload, task))).toEqual([])
          }
          expect(await wrongs(workload)).toBe('')
          const after = await family(codes.length > 0 ? 'n1' : 'n2', workload)
          if (along.every(Boolean) || codes.length > 0) expect(after).toBe(before)
          if (codes.length > 0) refused += 1
          else moved += 1
        })
        .afterEach(async () => {
          await scene.end()
          // Semaphores outlive who made them, and nobody knows who else uses them then.
          await scene.sh('n1', 'ipcrm --all')
        }),
      // Each run takes seconds: what fails is told as it is, not made smaller.
      { numRuns: ROUNDS, endOnFailure: true },
    )
    process.stdout.write(`${moved} trees moved, ${refused} refused\n`)
  },
)
