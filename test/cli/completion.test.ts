import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { recipesIn, usageIn } from '../../cli/completion-usage.ts'
import { offerFor, offerLines, type Offer, type Sources } from '../../cli/completion.ts'
import { sourcesHere } from '../../cli/completion-sources.ts'
import { runScript } from '../run-script.ts'

const ROOT = join(import.meta.dirname, '../..')
const here = sourcesHere(new AbortController().signal)
const sources: Sources = {
  ...here,
  machines: async ({ hosts }) => {
    const names = hosts.length > 0 ? hosts.flatMap((list) => list.split(',')) : ['n1', 'n2']
    return await Promise.resolve(names.map((value) => ({ value })))
  },
  jobs: async () => await Promise.resolve([{ value: 'abcdef', about: 'queued: make' }]),
  migrations: async (which) =>
    await Promise.resolve([{ value: 'open' }, ...(which === 'all' ? [{ value: 'past' }] : [])]),
}

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rs-test-'))
})
afterAll(async () => await rm(folder, { recursive: true }))

/** The values that are offered, with what the shell offers besides in parentheses. */
async function offered(line: string): Promise<string[]> {
  const { candidates, besides }: Offer = await offerFor(line.split(' '), sources)
  return [...candidates.map(({ value }) => value), ...(besides === undefined ? [] : [`(${besides})`])]
}

describe('offerFor', () => {
  test.each([
    ['migrate-scum --via ', ['ssh', 'taildrop']],
    ['share-to-idle --via ', ['localsend', 'taildrop', 'ssh', 'auto']],
    ['migrate-scum --via=', ['--via=ssh', '--via=taildrop']],
    ['scum-throttle --by ', ['cgroup2', 'systemd', 'cgroup1', 'cpulimit', 'renice']],
    ['mcp --allow migrate,', ['throttle', 'offload', 'share', 'kill'].map((each) => `migrate,${each}`)],
    ['mcp --tools ', ['localsend']],
    ['migrate-scum --target ', ['n1', 'n2']],
    ['scum-view --host ', ['n1', 'n2']],
    ['find-minus --exclude ', ['n1', 'n2']],
    ['find-minus --exclude n1,', ['n1,n2']],
    ['find-minus --exclude=n1,', ['--exclude=n1,n2']],
    ['migrate-scum --hosts a,b --target ', ['a', 'b']],
    ['migrate-scum --hosts=a --target ', ['a']],
    ['doctor ', ['n1', 'n2']],
    ['doctor -q ', ['n1', 'n2']],
    ['migrate-scum ', ['n1:', 'n2:']],
    ['migrations ', ['open', 'past']],
    ['migrate-recover ', ['open']],
    ['jobs ', ['list', 'log', 'start', 'cancel', 'retry', 'forget']],
    ['jobs log ', ['abcdef']],
    ['jobs --timeout 3 forget ', ['abcdef']],
    ['jobs cancel --target ', ['n1', 'n2']],
    ['completions ', ['bash', 'zsh', 'fish']],
    ['fmt fmt jobs retry ', ['abcdef']],
    ['NAME=value -q jobs retry ', ['abcdef']],
    ['close --', ['--json', '--quiet', '--help']],
    ['open ', ['--json', '--quiet', '--help']],
    [
      'scum-kill 1 --',
      [
        ['--grace', '--yes', '--host', '--force', '--hosts', '--hosts-file', '--source', '--source-config'],
        ['--node-label', '--exclude', '--fanout'],
        ['--timeout', '--json', '--quiet', '--help'],
      ].flat(),
    ],
    ['migrations past ', ['-n', '--json', '--quiet', '--help']],
    ['test --', ['--changed']],
    ['soak --', ['--rounds']],
    ['bench --', ['--json']],
  ])('"%s" offers just %j', async (line, values) => {
    expect(await offered(line)).toEqual(values)
  })

  test.each([
    ['mesh-balance --hosts-file ', ['(files)']],
    ['cron-install --textfile ', ['(files)']],
    ['share-to-idle ', ['(files)']],
    ['share-to-idle a.txt ', ['(files)']],
    ['offload --send ', ['(files)']],
    ['offload ', ['(files)']],
    ['offload tar --', ['(files)']],
    ['offload -- tar --target ', ['(files)']],
    ['receive --dir ', ['(folders)']],
    ['mcp --root=', ['(folders)']],
    ['--', ['(just)']],
    ['--color ', ['(just)']],
  ])('"%s" leaves it to the shell: %j', async (line, besides) => {
    expect(await offered(line)).toEqual(besides)
  })

  test.each([
    'scum-kill ',
    'close ',
    'migrate-scum n1:',
    'mesh-balance --timeout ',
    'find-minus -n ',
    'enqueue --name ',
    'simulate --policy ',
    'cron-install --alert ',
    'receive --allow ',
    'migrate-recover open ',
    'mesh-balance --json=',
    'mesh-balance --no-such-flag=',
    'mesh-balance -- ',
    'fmt --json --x',
  ])('"%s" offers nothing of ours', async (line) => {
    const values = await offered(line)
    expect(values.filter((value) => value !== '(just)')).toEqual([])
  })

  test('where a recipe stands, all of the justfile are offered, with what just says of them', async () => {
    const just = join(ROOT, 'node_modules/.bin/just')
    const { stdout } = await execa(just, [
      '--justfile',
      join(ROOT, 'justfile'),
      '--dump',
      '--dump-format=json',
    ])
    const Recipe = z.object({
      name: z.string(),
      doc: z.string().nullable(),
      private: z.boolean(),
      parameters: z.array(z.unknown()),
    })
    const { recipes } = z.object({ recipes: z.record(z.string(), Recipe) }).parse(JSON.parse(stdout))
    const expected = Object.values(recipes)
      .filter((each) => !each.private)
      .map(({ name, doc, parameters }) => ({ name, about: doc, takesWords: parameters.length > 0 }))
    const found = await here.recipes()
    const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name)
    expect(
      found.map(({ name, about, takesWords }) => ({ name, about, takesWords })).toSorted(byName),
    ).toEqual(expected.toSorted(byName))
    expect(await offered('')).toEqual(found.map(({ name }) => name))
  })

  test('every flag that the help of a script tells is offered, with its line', async () => {
    for (const { name, script } of await here.recipes()) {
      if (script?.startsWith('scripts/') !== true) continue
      const source = await readFile(join(ROOT, script), 'utf8')
      const told = [...source.split(' */')[0]!.matchAll(/^ \* {3}(-.*)$/gm)].map(([, line = '']) => line)
      const { candidates } = await offerFor([name, '-'], sources)
      const lines = candidates.map(({ value, about }) => [value, about])
      expect(lines.length, name).toBeGreaterThan(1)
      expect(
        told.filter(
          (line, at) => !line.includes(lines[at]?.[0] ?? '-?') || !line.endsWith(lines[at]?.[1] ?? '?'),
        ),
        name,
      ).toEqual([])
      expect(lines).toHaveLength(told.length)
    }
  })
})

describe('recipesIn', () => {
  test('a variable, a setting and a private recipe are none', () => {
    const justfile = `set quiet := true\na := "b:"\n\n[private]\nhidden:\n    @x\n\n# Seen\n[group('a')]\nseen *args:\n    @{{ run }}scripts/seen.ts "$@"\n`
    expect(recipesIn(justfile)).toEqual([
      { name: 'seen', about: 'Seen', takesWords: true, script: 'scripts/seen.ts' },
    ])
  })
})

describe('usageIn', () => {
  test('flags have a value where one space parts them from it, and not where more do', () => {
    const source = `/**\n * x: y.\n *\n * Usage: just x [ID…|--all] [options]\n *\n *   --all         all\n *   --file F.prom write it\n *   -q, --quiet   hush\n *   -n N          so many\n */`
    expect(usageIn(source)).toEqual({
      flags: [
        { name: '--all', about: 'all' },
        { name: '--file', value: 'F.prom', about: 'write it' },
        { name: '--quiet', short: '-q', about: 'hush' },
        { name: '-n', value: 'N', about: 'so many' },
      ],
      forms: [{ places: [['ID']], repeats: true, about: '' }],
    })
  })

  test('a source without a header has neither', () => {
    expect(usageIn('export {}')).toEqual({ flags: [], forms: [] })
  })
})

describe('offerLines', () => {
  test.each([
    '$(touch x)',
    '`touch x`',
    'a b',
    "a'b",
    'a"b',
    'a\nb',
    'a\tb',
    '\u001b[31m',
    'a;b',
    '~',
    'a\\b',
    '',
    '*',
    '!x',
    'ä',
  ])('a value that a shell could take for something else is not offered: %j', (value) => {
    expect(offerLines({ candidates: [{ value }, { value: 'n1' }] })).toEqual(['word\tn1\t'])
  })

  test('a description is one line without tabs and control characters', () => {
    const about = 'a\tb\nc\u001b[31m\u202ed'
    expect(offerLines({ candidates: [{ value: 'n1:', unfinished: true, about }], besides: 'files' })).toEqual(
      ['unfinished\tn1:\ta b c d', 'files'],
    )
  })
})

describe('just completions', () => {
  test.each([
    [[], 'completions takes bash, zsh or fish, not nothing'],
    [['x'], 'completions takes bash, zsh or fish, not "x"'],
    [['bash', 'zsh'], 'completions takes bash, zsh or fish, not "bash zsh"'],
    [['bash', '--command', '$(x)'], '--command takes the name of a command, not "$(x)"'],
    [['bash', '--command', '-x'], '--command needs a value'],
    [['bash', '--command='], '--command takes the name of a command, not ""'],
    [['bash', '--json'], 'completions prints a script, and no document: leave --json out'],
    [['bash', '--no-such-flag'], 'unknown option --no-such-flag'],
  ])('%j is a usage error of one line', async (args, message) => {
    const { stdout, stderr, exitCode } = await runScript('completions', args)
    expect({ stdout, exitCode, lines: stderr.split('\n').length }).toEqual({
      stdout: '',
      exitCode: 2,
      lines: 1,
    })
    expect(stderr).toContain(message)
  })

  test('a Tab makes no folder for a state that there is none of', async () => {
    const state = join(folder, 'state')
    await mkdir(state)
    for (const words of [
      ['jobs', 'log', ''],
      ['migrations', ''],
      ['migrate-recover', ''],
    ])
      expect(await askedFor(words, { XDG_STATE_HOME: state })).toMatchObject({
        stdout: '',
        stderr: '',
        exitCode: 0,
      })
    expect(await readdir(state)).toEqual([])
  })

  test('a tailscale that hangs, or prints something else, is silence', async () => {
    for (const [name, does] of [
      ['hangs', 'exec sleep 600'],
      ['babbles', 'echo "{}"'],
    ] as const) {
      const bin = join(folder, name)
      await mkdir(bin)
      await writeFile(join(bin, 'tailscale'), `#!/bin/sh\n${does}\n`, { mode: 0o755 })
      const ran = await askedFor(['doctor', ''], { PATH: `${bin}:${process.env.PATH ?? ''}` })
      expect(ran, name).toMatchObject({ stdout: '', stderr: '' })
      expect(ran.seconds).toBeLessThan(60)
    }
  })

  test('a file of hosts that never ends a read keeps nobody waiting', async () => {
    const fifo = join(folder, 'fifo')
    await execa('mkfifo', [fifo])
    const ran = await askedFor(['doctor', '--hosts-file', fifo, ''])
    expect(ran).toMatchObject({ stdout: '', stderr: '' })
    expect(ran.seconds).toBeLessThan(60)
  })
})

async function askedFor(words: string[], env: Record<string, string> = {}) {
  return await runScript('completions', ['words', '--', ...words], env)
}
