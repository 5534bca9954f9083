import { join } from 'node:path'
import { folderOf, groupName, hierarchies, placeIn } from './cgroup.ts'
import { keyOf, type Undo } from './means.ts'

/** A means that needs nothing but sh, so that machines without Node can use it, and what it needs to undo itself. */
export type HoldingWay = { means: 'cgroup2' | 'cgroup1' | 'renice'; undo: Undo }

/**
 * The means that can be tried on a machine, the best first: control groups, which limit, else a low priority.
 *
 * @param output of `look` in lib/work/rebalance/hold-elsewhere.sh
 * @param id of the record that is to be made
 */
export function waysIn(output: string, id: string, root: { pid: number; start: string }): HoldingWay[] {
  const lines = (word: string) =>
    output.split('\n').flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []))
  const mounted = hierarchies(lines('mount').join('\n'))
  const groups = lines('group').map((line) => /^(\d+\/\d+) (.*)$/.exec(line))
  const nices = lines('task').flatMap((line) => /^(\d+\/\d+) (-?\d{1,2})$/.exec(line)?.slice(1, 3) ?? [])
  const ways = ([2, 1] as const).flatMap((version): HoldingWay[] => {
    const hierarchy = mounted.find((each) => each.version === version)
    const folders = groups.flatMap((match): [string, string][] => {
      const folder = hierarchy && folderOf(hierarchy, match?.[2] ?? '')
      return match?.[1] !== undefined && folder !== undefined ? [[match[1], folder]] : []
    })
    const own = folders.find(([key]) => key === keyOf(root))?.[1]
    if (!hierarchy || own === undefined) return []
    const group = join(placeIn(hierarchy, own), groupName(id))
    return [
      { means: version === 2 ? 'cgroup2' : 'cgroup1', undo: { ...Object.fromEntries(folders), '': group } },
    ]
  })
  const pairs = nices.flatMap((key, index) =>
    index % 2 === 0 ? [[key, nices[index + 1] ?? '0'] as const] : [],
  )
  return [...ways, { means: 'renice', undo: Object.fromEntries(pairs) }]
}
