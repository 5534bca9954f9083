import { nodeNamed } from '../lib/mesh/nodes.ts'
import { UsageError } from '../lib/errors.ts'
import type { Host } from '../lib/host/host.ts'
import { hostOf } from '../lib/host/host.ts'
import { choosePlaces, type Choice } from '../lib/jobs/choose.ts'
import { returnedPaths, sentFiles } from '../lib/jobs/files.ts'
import type { Work } from '../lib/jobs/job.ts'
import { quoted } from '../lib/text.ts'
import type { meshOptions } from './mesh-options.ts'
import { askMesh, nodesOf } from './mesh.ts'
import { numberOf } from './numbers.ts'
import type { Context } from './recipe.ts'

/** What every recipe that takes a command takes. */
export const workOptions = {
  send: { type: 'string', multiple: true },
  return: { type: 'string', multiple: true },
  cwd: { type: 'string' },
  cpus: { type: 'string' },
} as const

/** Of the environment, what ssh sends by custom: the language, and the time zone. */
const CARRIED = /^(?:LANG|LANGUAGE|LC_[A-Z]+|TZ)$/

/** What is to be run, from the command line. @throws UsageError */
export async function workOf({
  values,
  operands,
}: Pick<Context<typeof workOptions>, 'values' | 'operands'>): Promise<Work> {
  const [command, ...args] = operands
  if (command === undefined || command === '')
    throw new UsageError('which command? Give CMD and its arguments (--help lists what there is)')
  // Node has put this character in the place of every byte that is none of UTF-8.
  const words = [...operands, ...(values.send ?? []), ...(values.return ?? [])]
  const strange = words.find((word) => word.includes('\uFFFD'))
  if (strange !== undefined)
    throw new UsageError(`${quoted(strange)} is not UTF-8: put the command into a script, and send that`)
  const { cwd = '' } = values
  if (cwd.split('/').includes('..') && !/^[/~]/.test(cwd))
    throw new UsageError(
      `--cwd takes a folder below what is sent, or one of that machine (/… or ~/…), not ${quoted(cwd)}`,
    )
  const here = process.cwd()
  return {
    argv: [command, ...args],
    cwd,
    send: await sentFiles(values.send ?? [], here),
    returns: returnedPaths(values.return ?? []),
    folder: here,
    env: Object.entries(process.env).flatMap(([name, value]) =>
      CARRIED.test(name) && value !== undefined ? [`${name}=${value}`] : [],
    ),
    cpu: numberOf('--cpus', values.cpus ?? '1', { least: 0, most: 10_000 }),
  }
}

type MeshContext = Pick<Context<typeof meshOptions>, 'values' | 'signal' | 'note'>

/** The machines that have room for so many CPUs of work, the best first. */
export async function placesFor(context: MeshContext, cpu: number): Promise<Choice> {
  return choosePlaces(await askMesh(context, {}), cpu)
}

/** The machine that `--target` names. @throws UsageError */
export async function targetOf(context: MeshContext, target: string): Promise<Host> {
  const nodes = await nodesOf(context)
  const node = nodeNamed(nodes, target)
  if (node?.self) throw new UsageError(`--target ${quoted(target)} is this machine`)
  if (node?.ssh) return hostOf(node)
  const names = nodes.flatMap(({ name, self, ssh }) => (self || !ssh ? [] : [name])).join(', ')
  throw new UsageError(
    `--target ${quoted(target)} ${node ? `is ${node.left?.outcome ?? 'out of reach'}` : 'is not in the mesh'}: there is ${names || 'no other machine'}`,
  )
}

/** Why no machine was found, in one line. */
export function nowhere({ leftOut }: Choice, refused: readonly string[] = []): string {
  const reasons = [...refused, ...leftOut.map(({ name, why }) => `${name}: ${why}`)]
  const some = reasons.slice(0, 3).join('; ')
  return `no other machine has room${some && ` (${some}${reasons.length > 3 ? '; …' : ''})`}`
}
