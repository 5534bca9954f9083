import { InputError, UsageError } from '../../lib/base/errors.ts'
import { quoted } from '../../lib/base/text.ts'
import { hostOf, type Host } from '../../lib/mesh/remote/host.ts'
import { choosePlaces, type Choice } from '../../lib/work/jobs/choose.ts'
import { returnedPaths, sentFiles } from '../../lib/work/jobs/files.ts'
import type { Work } from '../../lib/work/jobs/job.ts'
import { CANDIDATES, EXPECTED_CPUS } from '../bounds.ts'
import { askMesh, nodesOf, otherNodeOf, type MeshInput } from '../see/mesh.ts'
import type { Deps } from '../verb.ts'
import type { WorkInput } from './schemas.ts'

/** Of the environment, what ssh sends by custom: the language, and the time zone. */
const CARRIED = /^(?:LANG|LANGUAGE|LC_[A-Z]+|TZ)$/

/** What is to be run, as it is kept. @throws UsageError */
export async function workOf(input: WorkInput): Promise<Work> {
  const [program, ...args] = input.command
  if (program === undefined || program === '')
    throw new UsageError('which command? Give CMD and its arguments (--help lists what there is)')
  const { send = [], return: returned = [], cwd = '', folder = process.cwd() } = input
  // Node has put this character in the place of every byte that is none of UTF-8.
  const strange = [...input.command, ...send, ...returned].find((word) => word.includes('\uFFFD'))
  if (strange !== undefined)
    throw new UsageError(`${quoted(strange)} is not UTF-8: put the command into a script, and send that`)
  for (const [field, words] of Object.entries({ command: input.command, send, return: returned, cwd: [cwd] }))
    if (words.some((word) => word.includes('\0')))
      throw new InputError(field, 'has a NUL, which no command can be given')
  if (cwd.split('/').includes('..') && !/^[/~]/.test(cwd))
    throw new InputError(
      'cwd',
      `takes a folder below what is sent, or one of that machine (/… or ~/…), not ${quoted(cwd)}`,
    )
  return {
    argv: [program, ...args],
    cwd,
    send: await sentFiles(send, folder),
    returns: returnedPaths(returned),
    folder,
    env: Object.entries(process.env).flatMap(([name, value]) =>
      CARRIED.test(name) && value !== undefined ? [`${name}=${value}`] : [],
    ),
    cpu: input.cpus ?? EXPECTED_CPUS.usual,
  }
}

/** The machines that have room for so many CPUs of work, the best first. */
export async function placesFor(input: MeshInput, deps: Deps, cpu: number): Promise<Choice> {
  return choosePlaces(await askMesh(input, deps, { extremes: { emptiest: CANDIDATES }, inPerson: true }), cpu)
}

/** The machine that the input names as its target. @throws InputError */
export async function targetOf(input: MeshInput, deps: Deps, target: string): Promise<Host> {
  const nodes = await nodesOf(input, deps)
  const node = otherNodeOf(nodes, target, 'target')
  if (node.ssh) return hostOf(node)
  const names = nodes.flatMap(({ name, self, ssh }) => (self || !ssh ? [] : [name])).join(', ')
  const why = node.left?.outcome ?? 'out of reach'
  throw new InputError('target', `${quoted(target)} is ${why}: there is ${names || 'no other machine'}`)
}

/** Why no machine was found, in one line. */
export function nowhere({ leftOut }: Choice, refused: readonly string[] = []): string {
  const reasons = [...refused, ...leftOut.map(({ name, why }) => `${name}: ${why}`)]
  const some = reasons.slice(0, 3).join('; ')
  return `no other machine has room${some && ` (${some}${reasons.length > 3 ? '; …' : ''})`}`
}
