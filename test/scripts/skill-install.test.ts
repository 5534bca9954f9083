import { cp, lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { validate } from 'skills-ref'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SkillInstall } from '../../verbs/agents/schemas.ts'
import { runScript } from '../run-script.ts'
import { ROOT, SKILL } from '../skill/skill-folder.ts'

let home = ''
let skills = ''
let copy = ''
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'a home '))
  skills = join(home, '.claude/skills')
  copy = join(skills, 'resource-sharing')
})
afterEach(async () => await rm(home, { recursive: true }))

const install = async (...args: string[]) =>
  await runScript('skill-install', args, { HOME: home, XDG_STATE_HOME: join(home, 'state') })

test('the copy is where Claude Code looks, is a skill, and finds the program by itself', async () => {
  const { exitCode, stdout, stderr } = await install('-q', '--json')
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(SkillInstall.result.parse(JSON.parse(stdout))).toEqual({
    skill: copy,
    program: ROOT.replace(/\/$/, ''),
    replaced: false,
  })
  expect(await validate(copy)).toEqual([])
  expect(await readFile(join(copy, 'SKILL.md'))).toEqual(await readFile(join(SKILL, 'SKILL.md')))
  const env = { PATH: process.env.PATH, HOME: home }
  const ran = await execa(join(copy, 'scripts/rs'), ['node-trit', '--bare'], {
    cwd: home,
    env,
    extendEnv: false,
  })
  expect(ran.stdout).toMatch(/^(?:\+1|0|-1)$/)
})

test('for a person it prints where the copy is, and for who wants to hear nothing, nothing', async () => {
  const told = await install('--to', join(home, 'elsewhere'))
  expect(told.stdout).toBe(join(home, 'elsewhere/resource-sharing'))
  expect(told.stderr).toBe('an agent that runs already finds it when it is started again')
  expect(await install('-q')).toMatchObject({ exitCode: 0, stdout: '', stderr: '' })
})

test('an earlier copy is replaced: what was changed is as it is here, what is no more is gone', async () => {
  await install('-q')
  await writeFile(join(copy, 'SKILL.md'), '---\nname: resource-sharing\n---\nof an older version')
  await writeFile(join(copy, 'references/older.md'), '')
  const listed = await readFile(join(copy, 'installed'), 'utf8')
  await writeFile(join(copy, 'installed'), listed.replace(/^.*\n/, '/old place\nreferences/older.md\n'))
  // As a run leaves them that was killed.
  await mkdir(join(skills, '.resource-sharing.new'))
  await cp(copy, join(skills, '.resource-sharing.old'), { recursive: true })
  expect(JSON.parse((await install('--json')).stdout)).toMatchObject({ replaced: true })
  expect(await readFile(join(copy, 'SKILL.md'))).toEqual(await readFile(join(SKILL, 'SKILL.md')))
  expect(await readFile(join(copy, 'installed'), 'utf8')).toBe(listed)
  expect(await readdir(join(copy, 'references'))).toEqual(await readdir(join(SKILL, 'references')))
  expect(await readdir(skills)).toEqual(['resource-sharing'])
})

test('a copy that was made by hand is one', async () => {
  await cp(SKILL, copy, { recursive: true })
  expect(JSON.parse((await install('--json')).stdout)).toMatchObject({ replaced: true })
})

test.each([
  ['a folder of another skill', { 'SKILL.md': '---\nname: other\n---\n', 'scripts/rs': '' }],
  ['the first skill of this name', { 'SKILL.md': '---\nname: resource-sharing\n---\n' }],
  ['an empty folder', {}],
])('%s is left alone, exit 5', async (_, files: Record<string, string>) => {
  await mkdir(join(copy, 'scripts'), { recursive: true })
  for (const [name, text] of Object.entries(files)) await writeFile(join(copy, name), text)
  const before = await readdir(copy, { recursive: true })
  const ran = await install()
  const said = expect.stringMatching(/^".*" is not a copy of this skill: move it away first$/)
  expect(ran).toMatchObject({ exitCode: 5, stdout: '', stderr: said })
  expect(await readdir(copy, { recursive: true })).toEqual(before)
  expect(await readdir(skills)).toEqual(['resource-sharing'])
})

test('so is a copy with a file of somebody’s own, which is named, and a link', async () => {
  await install('-q')
  await writeFile(join(copy, 'references/notes.md'), 'mine')
  const ran = await install()
  expect(ran).toMatchObject({
    exitCode: 5,
    stderr: expect.stringMatching(
      /^"references\/notes.md" in ".*" is not of this skill: move it away first$/,
    ),
  })
  expect(await readFile(join(copy, 'references/notes.md'), 'utf8')).toBe('mine')
  await rm(join(copy, 'references/notes.md'))
  const other = join(home, 'other')
  await mkdir(other)
  await symlink(copy, join(other, 'resource-sharing'))
  expect((await install('--to', other)).exitCode).toBe(5)
  expect((await lstat(join(other, 'resource-sharing'))).isSymbolicLink()).toBe(true)
})

test('the program’s own skill is no place for a copy of it', async () => {
  for (const to of [join(ROOT, 'skills'), SKILL])
    expect(await install('--to', to)).toMatchObject({
      exitCode: 5,
      stderr: expect.stringContaining('another folder'),
    })
})

test('of several at the same time each ends whole, or is refused', async () => {
  const codes = (await Promise.all(Array.from({ length: 6 }, async () => await install('-q')))).map(
    ({ exitCode }) => exitCode,
  )
  expect(codes).toContain(0)
  expect(codes.filter((code) => code !== 0 && code !== 5)).toEqual([])
  expect(await validate(copy)).toEqual([])
  expect(await readdir(skills)).toEqual(['resource-sharing'])
})

test.each([
  [['--to='], /^--to needs a folder$/],
  [['--to'], /^--to needs a value/],
  [['operand'], /^unexpected argument operand/],
  [['--force'], /^unknown option --force/],
])('%j is a usage error of one line', async (args, said) => {
  expect(await install(...args)).toMatchObject({
    exitCode: 2,
    stdout: '',
    stderr: expect.stringMatching(said),
  })
})

test('what can not be written is said in one line', async () => {
  await writeFile(join(home, 'file'), '')
  const ran = await install('--to', join(home, 'file'))
  expect(ran).toMatchObject({ exitCode: 1, stdout: '' })
  expect(ran.stderr).toMatch(/^the skill can't be copied to ".*": .*$/)
})
