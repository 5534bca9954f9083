import fc from 'fast-check'

/** A process of a generated tree; `test/workloads/tree.py` makes it. */
export type Task = {
  /** Which of the earlier tasks has started it. The first one has none. */
  parent: number
  session: boolean
  group: boolean
  /** What it shares with its parent. */
  link: '' | 'pipe' | 'pair' | 'memory'
  /** Its parent started it by a process that has ended: it is nobody's child, and not part of the tree. */
  orphan: boolean
  files: ('mapped' | 'deleted')[]
  lock: '' | 'flock' | 'posix'
  ipc: '' | 'memory' | 'semaphores' | 'queue' | 'posix-queue'
  listens: boolean
}

const MOST_TASKS = 5

function rarely<T extends string>(...values: T[]): fc.Arbitrary<T | ''> {
  return fc.oneof(
    { weight: 9, arbitrary: fc.constant('' as const) },
    { weight: 1, arbitrary: fc.constantFrom(...values) },
  )
}

const task = (index: number): fc.Arbitrary<Task> =>
  fc.record({
    parent: fc.nat({ max: Math.max(0, index - 1) }),
    session: fc.boolean(),
    group: fc.boolean(),
    link: fc.constantFrom('', 'pipe', 'pair', 'memory'),
    orphan: index === 0 ? fc.constant(false) : fc.integer({ min: 0, max: 7 }).map((dice) => dice === 0),
    files: fc.subarray(['mapped', 'deleted']),
    lock: rarely('flock', 'posix'),
    ipc: rarely('memory', 'semaphores', 'queue', 'posix-queue'),
    listens: rarely('yes').map((value) => value !== ''),
  })

export const trees: fc.Arbitrary<Task[]> = fc
  .integer({ min: 1, max: MOST_TASKS })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => task(index))))

/** Which tasks move with the first one: those that descend from it without an orphan between. */
export function movesAlong(tree: readonly Task[]): boolean[] {
  const along: boolean[] = []
  for (const [index, { parent, orphan }] of tree.entries())
    along.push(index === 0 || (!orphan && along[parent] === true))
  return along
}

const BY_LINK = { '': [], pipe: ['pipe-outside'], pair: ['unix-socket-outside'], memory: ['memory-outside'] }
const BY_IPC = {
  '': [],
  memory: ['sysv-shm'],
  semaphores: ['sysv-ipc'],
  queue: ['sysv-ipc'],
  'posix-queue': ['posix-mqueue'],
}

/** The codes that the tree has to be refused by, sorted; none where it has to move. */
export function codesOf(tree: readonly Task[]): string[] {
  const along = movesAlong(tree)
  const codes = tree.flatMap(({ parent, link, ipc, listens }, index) => {
    const outside: readonly string[] = along[index] !== (along[parent] ?? true) ? BY_LINK[link] : []
    if (!along[index]) return outside
    return [...outside, ...BY_IPC[ipc], ...(listens ? ['tcp-socket'] : [])]
  })
  return [...new Set(codes)].toSorted()
}
