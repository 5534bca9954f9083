import { randomBytes } from 'node:crypto'
import { basename } from 'node:path'
import { vi } from 'vitest'
import type { HostName, Scene } from '../migrate/scene.ts'
import type { Program } from './programs.ts'
import type { Way } from './ways.ts'

/** What became of a program that was moved: all is as it should be, or why not. */
export type Outcome = { moved: true } | { moved: false; why: string }

const WAIT = { timeout: 120_000, interval: 200 }

/** A script in the folder of a program; what it prints, or nothing where it fails. */
async function inFolder(scene: Scene, node: HostName, folder: string, script: string): Promise<string> {
  return (await scene.sh(node, `cd ${folder} && { ${script}\n} 2>/dev/null || :`)).trim()
}

/** A program that runs on n1 now, in the middle of its work. */
export type Running = { program: Program; folder: string; pid: number; answered: string }

export async function started(
  scene: Scene,
  program: Program,
  way: Way,
): Promise<Running | { failed: string }> {
  const folder = `/var/tmp/work-${randomBytes(4).toString('hex')}`
  await scene.sh('n1', `mkdir ${folder}; cd ${folder}\n${program.before ?? ''}`)
  if (program.there !== undefined) await scene.sh('n2', `mkdir ${folder}; cd ${folder}\n${program.there}`)
  const pid = await way.start(scene, folder, program.command)
  const { answers, ready = answers ?? '[ -e half ]' } = program
  const isReady = async () => (await inFolder(scene, 'n1', folder, `{ ${ready}\n} >&2 && echo ready`)) !== ''
  const begins = await vi.waitUntil(isReady, WAIT).catch(() => false)
  const answered = answers === undefined ? '' : await inFolder(scene, 'n1', folder, answers)
  if (!begins || (answers !== undefined && answered === ''))
    return { failed: await inFolder(scene, 'n1', folder, 'tail -n 3 out') }
  return { program, folder, pid, answered }
}

/** What comes of it where nobody moves it; nothing where it has no end. */
export async function undisturbed(scene: Scene, program: Program, way: Way): Promise<string> {
  if (program.result === undefined) return ''
  const running = await started(scene, program, way)
  if ('failed' in running) throw new Error(`${program.title} does not begin: ${running.failed}`)
  return await resultOf(scene, 'n1', running)
}

async function resultOf(
  scene: Scene,
  node: HostName,
  { program, folder, pid }: Pick<Running, 'program' | 'folder' | 'pid'>,
): Promise<string> {
  await scene.sh(node, `touch ${folder}/gate`)
  const over = async () => (await scene.sh(node, `ps -o stat= -p ${pid} | grep -v Z || :`)) === ''
  if (!(await vi.waitUntil(over, WAIT).catch(() => false))) return `${program.title} does not come to its end`
  return await inFolder(scene, node, folder, program.result ?? ':')
}

let moving: Promise<unknown> = Promise.resolve()

/** One after the other: a machine takes one process at a time. */
async function inTurn<T>(move: () => Promise<T>): Promise<T> {
  const before = moving
  const mine = before.then(move)
  moving = mine.catch(() => undefined)
  return await mine
}

/** Moves it, and looks whether it does there what it would have done here. */
export async function tried(scene: Scene, running: Running, wanted: string): Promise<Outcome> {
  const { program, folder, pid, answered } = running
  const { options = [], answers, result } = program
  const words = [String(pid), '--target', 'n2', '--copy-files', ...options]
  const { exitCode, stderr } = await inTurn(async () => await scene.move('n1', words))
  if (exitCode === 5) return { moved: false, why: plainly(stderr, folder) }
  if (exitCode !== 0) return { moved: false, why: `exit code ${exitCode}: ${plainly(stderr, folder)}` }
  if (result !== undefined) {
    const found = await resultOf(scene, 'n2', running)
    return found === wanted
      ? { moved: true }
      : { moved: false, why: `another result: ${found.slice(0, 2000)}, not ${wanted.slice(0, 2000)}` }
  }
  if (answers !== undefined) {
    const found = await inFolder(scene, 'n2', folder, answers)
    return found === answered
      ? { moved: true }
      : { moved: false, why: `another answer: ${found.slice(0, 80)}` }
  }
  const state = await scene.sh('n2', `ps -o stat= -p ${pid} || :`)
  return /^[SRD]/.test(state) ? { moved: true } : { moved: false, why: `it does not run there: ${state}` }
}

/** Ends what is left of it. */
export async function ended(scene: Scene, { folder }: Running): Promise<void> {
  const all = `for each in $(ps -eo pid=); do [ "$(readlink /proc/$each/cwd)" != ${folder} ] || kill -9 $each || :; done; rm -rf ${folder} /dev/shm/${basename(folder)}`
  await Promise.all((['n1', 'n2'] as const).map(async (node) => await scene.sh(node, `${all}; :`)))
}

/** The last line of what was said, without what differs from time to time. */
function plainly(stderr: string, folder: string): string {
  const line = stderr.trim().split('\n').at(-1) ?? ''
  return line
    .replace(/^n[12]: /, '')
    .replaceAll(folder, 'FOLDER')
    .replaceAll(basename(folder), 'FOLDER')
    .replaceAll(/GMfifo\d+/g, 'GMfifoN')
    .replaceAll(/\bPID \d+/g, 'PID N')
    .replaceAll(/\bport [3-6]\d{4}\b/g, 'port N')
    .replaceAll(/\bn1\b/g, 'HERE')
    .replaceAll(/\bn2\b/g, 'THERE')
    .replaceAll('|', '/')
}
