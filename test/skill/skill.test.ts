import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { readProperties, validate } from 'skills-ref'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pages, ROOT, SKILL, spans } from './skill-folder.ts'

describe('the skill', () => {
  test('is one by the specification, of trit 0, without a license of somebody’s choice', async () => {
    expect(await validate(SKILL)).toEqual([])
    const { description, compatibility, license, metadata } = await readProperties(SKILL)
    expect(description).toContain('Use it when')
    expect(compatibility).toContain('Node 20.19')
    expect(metadata).toEqual({ trit: '0' })
    expect(license).toBeUndefined()
  })

  test('is read in one go: less than 500 lines, and every page is linked from the first', async () => {
    const all = pages()
    const first = all.get('SKILL.md') ?? ''
    expect(first.split('\n').length).toBeLessThan(500)
    const linked = [...first.matchAll(/\]\(([^)]+)\)/g)].map(([, to = '']) => to)
    expect(new Set(linked)).toEqual(new Set([...all.keys()].filter((name) => name !== 'SKILL.md')))
    for (const [name, text] of all) if (name !== 'SKILL.md') expect(text).not.toMatch(/\]\(/)
  })

  test('names only recipes and flags that there are', async () => {
    const names = (await readdir(join(ROOT, 'scripts'))).map((file) => file.replace(/\.ts$/, ''))
    const help = new Map(
      await Promise.all(
        names.map(async (name): Promise<[string, string]> => {
          const source = await readFile(join(ROOT, `scripts/${name}.ts`), 'utf8')
          return [name, source.slice(0, source.indexOf(' */'))]
        }),
      ),
    )
    const flags = (text: string) => [...text.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)].map(([flag]) => flag)
    const wrong = [...pages().values()].flatMap(spans).filter((span) => {
      const recipe = /^scripts\/rs ([\w-]+)/.exec(span)?.[1] ?? /^[a-z-]+/.exec(span)?.[0]
      if (span.startsWith('scripts/rs ') && recipe !== 'NAME' && !names.includes(recipe ?? '')) return true
      const known =
        help.get(recipe ?? '') ?? (span.startsWith('--') ? [...help.values()].join('\n') : undefined)
      return known !== undefined && flags(span).some((flag) => !flags(known).includes(flag))
    })
    expect(wrong).toEqual([])
  })
})

/** What the skill that this program replaces told an agent to run, or to go by. */
const SEED = [
  'cp -r "$T/skills/resource-sharing" ~/.claude/skills/…',
  'node_trit',
  'share_to_idle FILE',
  'localsend send --target PEER FILE',
  'migrate_workload PID',
  'find_minus_node',
  'criu dump -t PID -D /tmp/checkpoint',
  'tailscale file cp /tmp/checkpoint TARGET:',
  'ssh TARGET "criu restore -D /tmp/checkpoint"',
  'load-avg',
  'cpu-count',
  'node-trit',
  'scum-processes',
  'just mesh-balance',
  'just find-minus',
  'just migrate-scum PID',
  'tailscale status --json',
  'ssh HOST uptime',
  'sysctl -n vm.loadavg',
  'ps axo pid,%cpu,%mem,comm',
  'Rebalancing rules',
  'Resource Decision Matrix',
  'scum-score',
  'localsend-mcp',
  'tailscale-mesh',
]

test('every command of the first skill has a row that says what it is now', () => {
  const rows = (pages().get('references/seed.md') ?? '').split('\n').filter((line) => line.startsWith('| '))
  const cells = rows.slice(2).map((row) => row.slice(2, -2).split(' | '))
  expect(cells.map(([then = '']) => then.trim().replaceAll('`', ''))).toEqual(SEED)
  for (const [then, now] of cells)
    expect([then, now]).toEqual([then, expect.stringMatching(/`(scripts\/rs|just) /)])
})

describe('scripts/rs', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'a skill '))
  })
  afterEach(async () => await rm(folder, { recursive: true }))

  /** A copy by hand, in a folder below the temporary one. */
  async function copied(to = 'skills'): Promise<string> {
    const copy = join(folder, to, 'resource-sharing')
    await cp(SKILL, copy, { recursive: true })
    return copy
  }

  async function rs(copy: string, args: readonly string[], env: Record<string, string> = {}, cwd = folder) {
    const { exitCode, stdout, stderr } = await execa(join(copy, 'scripts/rs'), args, {
      cwd,
      env: { PATH: process.env.PATH, HOME: folder, ...env },
      extendEnv: false,
      stdin: 'ignore',
      reject: false,
    })
    return { exitCode, stdout, stderr }
  }

  const TRIT = { exitCode: 0, stdout: expect.stringMatching(/^(?:\+1|0|-1)$/), stderr: '' }

  test('of a copy by hand runs the program that RESOURCE_SHARING_HOME names', async () => {
    const copy = await copied()
    expect(await rs(copy, ['node-trit', '--bare'], { RESOURCE_SHARING_HOME: ROOT })).toEqual(TRIT)
  })

  test('without it says in one line what to set', async () => {
    const copy = await copied()
    const said =
      'resource-sharing: where is the program? Set RESOURCE_SHARING_HOME to the folder that has its justfile, or run `just skill-install` there'
    expect(await rs(copy, ['node-trit'])).toEqual({ exitCode: 127, stdout: '', stderr: said })
  })

  test.each([
    [
      'RESOURCE_SHARING_HOME',
      { RESOURCE_SHARING_HOME: '/nowhere' },
      /^[^\n]*RESOURCE_SHARING_HOME is "\/nowhere"/,
    ],
    [
      'the path that was written',
      {},
      /^[^\n]*no longer in "\/gone away": run `just skill-install` where it is/,
    ],
  ])('says so where %s leads to no program', async (_, env, said) => {
    const copy = await copied()
    await writeFile(join(copy, 'installed'), '/gone away\nSKILL.md\n')
    const ran = await rs(copy, ['node-trit'], env)
    expect(ran).toEqual({ exitCode: 127, stdout: '', stderr: expect.stringMatching(said) })
    expect(ran.stderr.split('\n')).toHaveLength(1)
  })

  test('finds the program by the path that was written, from any folder, by any name of its own', async () => {
    const copy = await copied()
    await writeFile(join(copy, 'installed'), `${ROOT}\n`)
    // Where CDPATH would lead.
    await mkdir(join(folder, 'scripts'))
    const link = join(folder, 'link')
    await symlink(copy, link)
    const ran = [
      await rs(copy, ['node-trit', '--bare'], {}, '/'),
      await rs('skills/resource-sharing', ['node-trit', '--bare']),
      await rs('.', ['node-trit', '--bare'], { CDPATH: folder }, copy),
      await rs(link, ['node-trit', '--bare']),
    ]
    expect(ran).toEqual([TRIT, TRIT, TRIT, TRIT])
  })

  test('in the checkout, and by a link to it, needs neither', async () => {
    const link = join(folder, 'resource-sharing')
    await symlink(SKILL, link)
    expect([await rs(SKILL, ['node-trit', '--bare']), await rs(link, ['node-trit', '--bare'])]).toEqual([
      TRIT,
      TRIT,
    ])
  })

  test('below a folder in which anybody may write runs nothing that lies there', async () => {
    const copy = await copied()
    await mkdir(join(folder, 'cli'))
    await mkdir(join(folder, 'scripts'))
    await mkdir(join(folder, 'node_modules'))
    await writeFile(join(folder, 'scripts/node-trit.ts'), '')
    await writeFile(join(folder, 'cli/start.mjs'), 'process.stdout.write("planted")')
    expect((await rs(copy, ['node-trit'])).stdout).toBe('planted')
    await chmod(folder, 0o1777)
    expect(await rs(copy, ['node-trit'])).toMatchObject({ exitCode: 127, stdout: '' })
  })

  test('passes on arguments, the folder and the exit code as they are', async () => {
    const env = {
      RESOURCE_SHARING_HOME: ROOT,
      RESOURCE_SHARING_HOSTS: 'nowhere.invalid',
      XDG_STATE_HOME: folder,
    }
    const words = ["it's", '', '$(id)', 'a\nb', '--', '-h', '*', '"\\']
    const shown = [
      'offload',
      '-q',
      '--or-here',
      'sh',
      '-c',
      'printf "[%s]" "$PWD" "$@"; exit 7',
      'sh',
      ...words,
    ]
    const ran = await rs(await copied(), shown, env)
    expect(ran).toMatchObject({ exitCode: 7, stdout: [folder, ...words].map((word) => `[${word}]`).join('') })
  })

  test.each([
    [[], /say NAME first, which is one of: .*mesh-balance/],
    [['no-such'], /there is no "no-such"; there are: .*mesh-balance/],
    [['../cli/start'], /say NAME first/],
    [['--json'], /say NAME first/],
  ])('%j is a usage error of one line', async (args, said) => {
    const ran = await rs(SKILL, args)
    expect(ran).toEqual({ exitCode: 2, stdout: '', stderr: expect.stringMatching(said) })
    expect(ran.stderr.split('\n')).toHaveLength(1)
  })

  test('--help names every recipe', async () => {
    const { stdout } = await rs(SKILL, ['--help'])
    const names = (await readdir(join(ROOT, 'scripts'))).map((file) => file.slice(0, -3))
    expect(stdout).toContain(names.toSorted().join(' '))
  })

  test('says what is missing where the program was not installed', async () => {
    const home = join(folder, 'home')
    await cp(join(ROOT, 'cli'), join(home, 'cli'), { recursive: true })
    await cp(join(ROOT, 'scripts'), join(home, 'scripts'), { recursive: true })
    const ran = await rs(await copied(), ['node-trit'], { RESOURCE_SHARING_HOME: home })
    expect(ran).toMatchObject({
      exitCode: 127,
      stderr: `resource-sharing: run \`npm ci\` in "${home}" first`,
    })
  })
})
