import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { launchWaiting, programOf } from '../../../../lib/work/migrate/machine.ts'

// The stream of images: what the source's program writes while criu still does, and what the target's makes of it.
let base = ''
let [source, target] = ['', '']
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'rs-stream-'))
  source = await end('source')
  target = await end('target')
})
afterEach(async () => await rm(base, { recursive: true }))

async function end(name: 'source' | 'target'): Promise<string> {
  const folder = join(base, name, 'migrations', 'aaaaaaaaaaaa')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'steps.sh'), within(name, programOf(name)))
  await writeFile(join(folder, 'process'), '1 1 boot\n')
  return folder
}

function within(name: string, program: string): string {
  return program
    .replaceAll('/var/lib/resource-sharing', join(base, name))
    .replaceAll('/run/resource-sharing', join(base, 'run'))
}

/** Like criu that dumps a tree: pages of one process after the other, in pieces, then the rest. */
const DUMP = `
cd "$1" && mkdir images && : >tasks
piece() { head -c "$2" /dev/urandom >>"images/pages-$1.img"; sleep 0.01; }
for i in 1 2 3 4 5 6 7 8 9; do piece 1 1500000; done
piece 2 10
: >images/pages-3.img
for i in 1 2 3; do piece 4 9000000; done
echo rest >images/core-1.img
: >dumped`
const SEND = 'sh -c "$DUMP" sh "$1" & DUMPING=$!; export DUMPING; sh "$1/steps.sh" send'

async function send(through: string, receive = 'sh') {
  const script = `{ ${SEND}; } | ${through} | ${receive} "$2/steps.sh" receive`
  const options = { reject: false, timeout: 30_000, env: { DUMP } } as const
  return await execa('sh', ['-c', script, 'sh', source, target], options)
}

describe.runIf(process.platform === 'linux')('the stream of images', () => {
  test('pages go while they are written, and arrive as they are, with all the rest', async () => {
    expect(await send('cat')).toMatchObject({ exitCode: 0, stdout: '' })
    const names = ['core-1.img', 'pages-1.img', 'pages-2.img', 'pages-4.img']
    const arrived = await readdir(join(target, 'in', 'images'))
    // An empty file is in no piece: criu makes none.
    expect(arrived.filter((name) => name !== 'pages-3.img').toSorted()).toEqual(names)
    for (const name of names) {
      const [sent, got] = await Promise.all(
        [join(source, 'images', name), join(target, 'in', 'images', name)].map(
          async (path) => await readFile(path),
        ),
      )
      expect(got?.equals(sent ?? Buffer.alloc(0)), name).toBe(true)
    }
    expect(await readFile(join(target, 'in', 'sums'), 'utf8')).toBe(
      await readFile(join(source, 'sums'), 'utf8'),
    )
  })

  test.each([
    ['cut in its pages', 'head -c 20000000'],
    ['cut after them', 'head -c 40500100'],
    ['with a piece that has no number', "sed '1s/^1 /x /'"],
    ['with a piece for another file', "sed '1s,^1 ,../1 ,'"],
    ['empty', 'true'],
  ])('a stream that is %s is not taken for the whole', async (_, through) => {
    expect(await send(through)).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/^why the images have not all arrived/),
    })
  })

  test('who waits for the receiver does not wait for its pauses', async () => {
    const pause = join(base, 'sleep')
    await writeFile(pause, '#!/bin/sh\nPATH=/usr/bin:/bin exec sleep 60\n')
    await chmod(pause, 0o755)
    expect(await send('cat', `PATH="${base}:$PATH" sh`)).toMatchObject({ exitCode: 0, timedOut: false })
  })
})

describe.runIf(process.platform === 'linux')('a step that waits', () => {
  test.each([
    ['begins with the word', 'go\n', 0],
    ['is not taken when there is no word', '', 3],
    ['is not taken at another word', 'no\n', 3],
    ['is not taken at a word that was cut short', 'g', 3],
  ])('%s', async (_, input, exitCode) => {
    const env = { ID: 'aaaaaaaaaaaa', STEP: 'facts' }
    const options = { reject: false, timeout: 30_000, env, input } as const
    expect(await execa('sh', ['-c', within('target', launchWaiting('0'))], options)).toMatchObject({
      exitCode,
      stdout: '',
    })
  })
})
