import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
// A name that has to be escaped in a URL.
const NAME = 'a checkout'
let folder = ''
let checkout = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rs-test-'))
  checkout = join(folder, NAME)
  await mkdir(join(checkout, 'node_modules'), { recursive: true })
  for (const part of ['cli', 'lib', 'scripts', 'test', 'verbs', 'package.json', 'tsconfig.json'])
    await cp(join(ROOT, part), join(checkout, part), { recursive: true, preserveTimestamps: true })
  // npm's list of what is installed is hidden there, and counts.
  for (const name of await readdir(join(ROOT, 'node_modules')))
    if (name !== '.compiled' && name !== 'tsx')
      await symlink(join(ROOT, 'node_modules', name), join(checkout, 'node_modules', name))
})
afterEach(async () => await rm(folder, { recursive: true }))

async function compile(): Promise<void> {
  await execa(process.execPath, ['cli/compile.mjs'], { cwd: checkout })
}

async function start(program: string, args: readonly string[] = [], at = checkout, flags: string[] = []) {
  const argv = [...flags, join(at, 'cli/start.mjs'), program, ...args]
  return await execa(process.execPath, argv, { cwd: folder, reject: false, timeout: 60_000 })
}

async function bringTsx(): Promise<void> {
  await symlink(join(ROOT, 'node_modules/tsx'), join(checkout, 'node_modules/tsx'))
}

test('the compiled copy needs no tsx, shows the help of its source, and may be moved with the checkout', async () => {
  expect((await start('scripts/throttled.ts', ['--help'])).stderr).toContain('tsx')
  await compile()
  const help = (await start('scripts/throttled.ts', ['--help'])).stdout
  expect(help).toMatch(/^throttled: /)
  const moved = join(folder, 'moved')
  await cp(checkout, moved, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
  await rm(checkout, { recursive: true })
  expect((await start('scripts/throttled.ts', ['--help'], moved)).stdout).toBe(help)
  const asked = ['--hosts', '127.0.0.1:1', '--json']
  expect(JSON.parse((await start('scripts/mesh-balance.ts', asked, moved)).stdout).nodes).toHaveLength(2)
})

test.each(['throttled', 'offload', 'mcp'])('%s --help is what the script itself says', async (name) => {
  await compile()
  const script = `scripts/${name}.ts`
  // With another option besides, the script is loaded.
  const { stdout: own } = await start(script, ['--help', '--timeout', '5'])
  expect(own).toMatch(new RegExp(`^${name}: `))
  for (const asked of ['--help', '-h'])
    expect(await start(script, [asked])).toMatchObject({ exitCode: 0, stdout: own, stderr: '' })
  // It is not the script that says it.
  const copies = join(checkout, 'node_modules/.compiled')
  await rm(join(copies, JSON.parse(await readFile(join(copies, 'sources.json'), 'utf8')).programs[script]))
  expect((await start(script, ['--help', '--timeout', '5'])).exitCode).toBe(1)
  expect((await start(script, ['--help'])).stdout).toBe(own)
})

test('a source that was changed counts at once, and is compiled anew by the next npm ci', async () => {
  await compile()
  await bringTsx()
  await appendFile(join(checkout, 'cli/numbers.ts'), "process.stdout.write('changed\\n')\n")
  for (const turn of ['by tsx', 'compiled']) {
    const { stdout, exitCode } = await start('scripts/mesh-balance.ts', ['--json'])
    expect([turn, exitCode, stdout.split('\n')[0]]).toEqual([turn, 0, 'changed'])
    await compile()
    await rm(join(checkout, 'node_modules/tsx'), { force: true })
  }
})

test('so does a package of another version', async () => {
  await compile()
  const list = join(checkout, 'node_modules/.package-lock.json')
  await rm(list)
  await cp(join(ROOT, 'package-lock.json'), list)
  expect((await start('scripts/throttled.ts', ['--help'])).stderr).toContain('tsx')
})

test('while it is compiled again, a program starts all the same', async () => {
  await compile()
  await bringTsx()
  const starts = Array.from(
    { length: 8 },
    async () => await start('scripts/throttled.ts', ['--help', '--quiet']),
  )
  const [ended] = await Promise.all([Promise.all(starts), compile(), compile()])
  expect(ended.map(({ exitCode }) => exitCode)).toEqual(starts.map(() => 0))
  expect(
    (await readdir(join(checkout, 'node_modules'))).filter((name) => name.startsWith('.compiled')),
  ).toEqual(['.compiled'])
})

test('a Node that is too old is told so in one line', async () => {
  const old = `data:text/javascript,${encodeURIComponent("Object.defineProperty(process.versions, 'node', { value: '18.20.4' })")}`
  const { exitCode, stderr } = await start('scripts/mesh-balance.ts', [], checkout, ['--import', old])
  expect([exitCode, stderr]).toEqual([1, `this needs Node 20.19 or newer; ${process.execPath} is 18.20.4`])
})
