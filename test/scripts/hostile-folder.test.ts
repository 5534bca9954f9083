import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { standalone } from '../../lib/base/own-program.ts'

// A folder that anybody may write to, and where somebody has left what a program that is started below it might read.
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
let folder = ''
let inside = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rs-test-'))
  await chmod(folder, 0o1777)
  inside = join(folder, 'inside')
  await mkdir(inside)
  for (const place of [folder, inside]) await leave(place)
})
afterAll(async () => await rm(folder, { recursive: true }))

async function leave(place: string): Promise<void> {
  const mark = join(folder, 'was-run')
  const evil = `require('node:fs').appendFileSync(${JSON.stringify(mark)}, 'x')\n`
  const paths = { '*': ['./evil.cjs'], zx: ['./evil.cjs'], zod: ['./evil.cjs'], chalk: ['./evil.cjs'] }
  const modules = ['zx', 'zod', 'chalk', 'execa', 'ora', 'tsx', 'p-map', 'string-width']
  const files = {
    'evil.cjs': evil,
    'tsconfig.json': JSON.stringify({ compilerOptions: { baseUrl: '.', paths } }),
    'jsconfig.json': JSON.stringify({ compilerOptions: { baseUrl: '.', paths } }),
    'package.json': JSON.stringify({
      type: 'commonjs',
      imports: { '#*': './evil.cjs' },
      scripts: { preinstall: `touch ${mark}` },
    }),
    '.npmrc': `node-options=--require=${place}/evil.cjs\nscript-shell=${place}/evil.sh\n`,
    '.env': `NODE_OPTIONS=--require=${place}/evil.cjs\n`,
    justfile: `_ := \`touch ${mark}\`\nmesh-balance *args:\n    @touch ${mark}\n`,
    '.zxrc': evil,
    node: `#!/bin/sh\ntouch ${mark}\n`,
    ssh: `#!/bin/sh\ntouch ${mark}\n`,
    tailscale: `#!/bin/sh\ntouch ${mark}\n`,
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(place, name), text, { mode: 0o755 })
  for (const name of modules) {
    await mkdir(join(place, 'node_modules', name), { recursive: true })
    await writeFile(
      join(place, 'node_modules', name, 'package.json'),
      JSON.stringify({ name, main: 'index.js' }),
    )
    await writeFile(join(place, 'node_modules', name, 'index.js'), evil)
  }
}

/** The exit code of what is started there: from the compiled copy, where that is of these sources, and by tsx. */
async function started([file = '', ...args]: readonly string[]): Promise<(number | undefined)[]> {
  const options = { cwd: inside, reject: false, timeout: 60_000 } as const
  const ran = await Promise.all([
    execa(file, args, options),
    execa(file, args, { ...options, env: { DEBUG: 'resource-sharing' } }),
  ])
  return ran.map(({ exitCode }) => exitCode)
}

async function marks(): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name === 'was-run')
}

test('nothing of the caller’s folder, or of one above it, is read by a recipe', async () => {
  const just = [join(ROOT, 'node_modules/.bin/just'), '--justfile', join(ROOT, 'justfile')]
  // One that starts as most do, one that starts with little memory, and one that asks other machines.
  for (const [name, args] of [
    ['migrate-scum', ['--help']],
    ['share-to-idle', ['--help']],
    ['mesh-balance', ['--hosts', '127.0.0.1:1', '--timeout', '60']],
  ] as const)
    expect([name, ...(await started([...just, name, ...args]))]).toEqual([name, 0, 0])
  expect(await marks()).toEqual([])
})

test('every recipe that runs a script starts it as those do', async () => {
  const text = await readFile(join(ROOT, 'justfile'), 'utf8')
  const bodies = [...text.matchAll(/^    (.*\.ts.*)$/gm)].map(([, body]) => body)
  expect(bodies.length).toBeGreaterThan(25)
  for (const body of bodies) expect(body).toMatch(/^@\{\{ run(?:_lean|_small)? \}\}[\w/-]+\.ts [^{]*"\$@"$/)
})

test('nor by what cron, systemd and a guardian start', async () => {
  for (const [script, args] of [
    ['node-trit', ['--quiet', '--timeout', '60']],
    ['mesh-balance', ['--hosts', '127.0.0.1:1', '--timeout', '60', '--json']],
    ['migrate-recover', ['--all', '--quiet']],
    ['receive', ['--help']],
  ] as const)
    expect([script, ...(await started(standalone(script, args)))]).toEqual([script, 0, 0])
  expect(await marks()).toEqual([])
})
