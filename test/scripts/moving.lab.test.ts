import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pMap from 'p-map'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { messageOf } from '../../lib/base/text.ts'
import { Scene } from '../migrate/scene.ts'
import { PROGRAMS, type Program } from '../moving/programs.ts'
import { cellsIn, MOVED, NONE, tableText, type Cells } from '../moving/table.ts'
import { ended, started, tried, undisturbed } from '../moving/try.ts'
import { WAYS, type Way } from '../moving/ways.ts'
import { rounds } from '../rounds.ts'

// What people run, moved in the middle of its work, by the ways in which people start it. `just soak moving` tries all of
// it; with -u, SOAK_ROUNDS=100 npx vitest run --project lab scripts/moving writes docs/moving.md anew.

const SAMPLE = ['python: a loop', 'bash: a pipeline', 'nginx, whose files both have', 'node, with io_uring']
/** As many rounds as there are in the sample, where nobody says otherwise. */
const ALL = rounds(4) >= PROGRAMS.length
/** With `MOVING=xz,nginx` only those whose titles begin so, whose rows -u replaces. */
const ONLY = process.env['MOVING']?.split(',')
const PAGE = join(import.meta.dirname, '../../docs/moving.md')
const MINUTE = 60_000
/** Neither moved nor refused: it was begun, and undone for a reason that is not told, or went wrong. */
const WRONG = /^(?:exit code (?!1: .*Landlock)|another|it does not)/

let scene: Scene
beforeAll(async () => {
  scene = await Scene.open('moving')
  await Promise.all((['n1', 'n2'] as const).map(async (node) => await scene.lab.become(node, 'newer-criu')))
  // What clients are connected to.
  await scene.sh(
    'n3',
    `mkdir /var/tmp/served; cd /var/tmp/served; head -c 4000000 /dev/zero | openssl enc -aes-256-ctr -pbkdf2 -nosalt -k key >file
    printf '%s\\n' 'error_log log; pid pid; events {}' 'http { access_log off; server { listen 7104; root .; } }' >conf
    nginx -p . -c conf
    mkdir k; setsid python3 /srv/resource-sharing/test/workloads/sockets.py k keeper 0.0.0.0 7102 </dev/null >/dev/null 2>&1 &`,
  )
})
afterAll(() => scene?.lab.close())

/** A mark where it went as it should, else what was wrong. */
async function cellOf(program: Program, way: Way, wanted: string): Promise<string> {
  const running = await started(scene, program, way).catch((error: unknown) => ({ failed: messageOf(error) }))
  if ('failed' in running) return `it does not begin: ${running.failed}`
  const outcome = await tried(scene, running, wanted)
  await ended(scene, running)
  return outcome.moved ? MOVED : outcome.why
}

/** By all ways, one after the other. */
async function rowOf(program: Program): Promise<Map<string, string>> {
  const row = new Map<string, string>()
  const [plain] = WAYS
  if (!plain) throw new RangeError('no way to start anything')
  const wanted = program.terminal ? '' : await undisturbed(scene, program, plain)
  for (const way of WAYS) {
    const cell = program.terminal && !way.terminal ? NONE : await cellOf(program, way, wanted)
    row.set(way.title, cell)
    process.stdout.write(`${program.title}, ${way.title}: ${cell}\n`)
  }
  return row
}

async function cellsOf(programs: readonly Program[]): Promise<Cells> {
  const rows = await pMap(programs, async (program) => [program.title, await rowOf(program)] as const, {
    concurrency: 4,
  })
  return new Map(rows)
}

test(
  'what people run moves and does there what it would have done here, or is refused, as docs/moving.md says',
  { timeout: (ALL ? PROGRAMS.length : SAMPLE.length) * 3 * MINUTE },
  async () => {
    const programs = PROGRAMS.filter(({ title }) =>
      ONLY ? ONLY.some((word) => title.startsWith(word)) : ALL || SAMPLE.includes(title),
    )
    const cells = await cellsOf(programs)
    const text = await readFile(PAGE, 'utf8')
    const told = cellsIn(text)
    if (ALL) {
      const known = PROGRAMS.flatMap(({ title }) => {
        const row = cells.get(title) ?? told.get(title)
        return row ? [[title, row] as const] : []
      })
      await expect(pageOf(text, new Map(known))).toMatchFileSnapshot(PAGE)
    } else for (const [title, row] of cells) expect([title, told.get(title)]).toEqual([title, row])
    const wrong = [...cells].flatMap(([title, row]) =>
      [...row].flatMap(([way, cell]) => (WRONG.test(cell) ? [`${title}, ${way}: ${cell}`] : [])),
    )
    expect(wrong).toEqual([])
  },
)

const [BEGIN, END] = ['<!-- table -->', '<!-- end of table -->']

/** The page with another table. */
function pageOf(page: string, cells: Cells): string {
  const table = tableText(
    cells,
    WAYS.map(({ title }) => title),
  )
  const [before = ''] = page.split(BEGIN)
  const after = page.split(END)[1] ?? '\n'
  return `${before}${BEGIN}\n\n${table}\n\n${END}${after}`
}
