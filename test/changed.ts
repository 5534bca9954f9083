import { readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { execa } from 'execa'
import pMap from 'p-map'

/** What every test stands on: a change of one of these touches them all. */
const GROUND =
  /^(?:package(?:-lock)?\.json|tsconfig\.json|vitest\.config\.ts|justfile|cli\/\w+\.mjs|test\/(?:run-script|rounds)\.ts)$/
/** The lab itself, which all tests in it stand on. */
const LAB = /^test\/lab\/(?!.*\.test\.ts$)/
const LAB_TEST = /^test\/lab\/|\.(?:lab|alone)\.test\.ts$/

/**
 * The test files that a change touches: those that changed, those that import what changed, by way of others too, and
 * those that run a recipe whose script does.
 *
 * @param files paths of the repository's sources and tests, with their text
 * @param changed paths that were changed, added or removed
 */
export function touchedTests(
  files: ReadonlyMap<string, string>,
  changed: readonly string[],
): readonly string[] {
  const tests = [...files.keys()].filter((path) => path.endsWith('.test.ts'))
  if (changed.some((path) => GROUND.test(path))) return tests
  const scripts = [...files.keys()].flatMap((path) => /^scripts\/([\w-]+)\.ts$/.exec(path)?.[1] ?? [])
  const edges = new Map([...files].map(([path, text]) => [path, referredBy(path, text, scripts)]))
  const labIsChanged = changed.some((path) => LAB.test(path))
  return tests.filter(
    (path) => (labIsChanged && LAB_TEST.test(path)) || reaches(path, new Set(changed), edges),
  )
}

/** What a file refers to: modules and scripts beside it by their paths, and recipes by their names. */
function referredBy(path: string, text: string, scripts: readonly string[]): readonly string[] {
  const relative = [...text.matchAll(/['"`](\.{1,2}\/[^'"`\n]+)['"`]/g)].map(([, to = '']) =>
    normalize(join(dirname(path), to)),
  )
  // Also by a path from the repository's root, and sh files that lie beside the module which reads them.
  const rooted = [
    ...text.matchAll(/(?:test|scripts|verbs|lib|cli|bench|tools|examples|docs)\/[\w./-]+\.\w+/g),
  ].map(([all]) => all)
  const beside = [...text.matchAll(/['"`]([\w./-]+\.(?:sh|py))['"`]/g)].map(([, to = '']) =>
    normalize(join(dirname(path), to)),
  )
  const recipes = path.endsWith('.ts') && path.startsWith('test/') ? named(text, scripts) : []
  return [...relative, ...rooted, ...beside, ...recipes]
}

function named(text: string, scripts: readonly string[]): string[] {
  const words = new Set([...text.matchAll(/['"`\s/]([a-z][a-z-]+)(?=['"`\s.])/g)].map(([, word]) => word))
  return scripts.filter((name) => words.has(name)).map((name) => `scripts/${name}.ts`)
}

function reaches(
  from: string,
  wanted: ReadonlySet<string>,
  edges: ReadonlyMap<string, readonly string[]>,
): boolean {
  const seen = new Set<string>()
  const open = [from]
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (wanted.has(path)) return true
    if (seen.has(path)) continue
    seen.add(path)
    open.push(...(edges.get(path) ?? []))
  }
  return false
}

async function lines(...command: [string, ...string[]]): Promise<string[]> {
  const [file, ...args] = command
  const { stdout, exitCode } = await execa(file, args, { reject: false, stripFinalNewline: true })
  return exitCode === 0 ? stdout.split('\n').filter((line) => line !== '') : []
}

/** The test files that the checkout's change touches: what is not committed, and what is not upstream yet. */
export async function testsOfChange(): Promise<readonly string[]> {
  const [upstream] = await lines('git', 'merge-base', 'HEAD', '@{upstream}')
  const changed = [
    ...(await lines('git', 'diff', '--name-only', upstream ?? 'HEAD')),
    ...(await lines('git', 'ls-files', '--others', '--exclude-standard')),
  ]
  const paths = await lines('git', 'ls-files', '--cached', '--others', '--exclude-standard')
  const sources = paths.filter((path) => /\.(?:ts|mjs|sh|py)$/.test(path))
  const texts = await pMap(sources, async (path) => await readFile(path, 'utf8').catch(() => ''), {
    concurrency: 16,
  })
  return touchedTests(new Map(sources.map((path, index) => [path, texts[index] ?? ''])), changed)
}
