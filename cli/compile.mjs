/**
 * Compiles the programs of this repository into `node_modules/.compiled`, with all that they import, so that they start
 * in a third of the time: `npm ci` calls it. `start.mjs` takes the copy while the sources are as they were.
 *
 * Files beside a source (shell scripts, and its own header for --help) are read where they are, not copied.
 */
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const COMPILED = join(ROOT, 'node_modules/.compiled')
// The tests start these hundreds of times.
const TESTS = [
  'test/migrate/coordinator.ts',
  'test/lib/work/migrate/preflight-here.ts',
  'test/verbs/direct.ts',
]
const recipes = readdirSync(join(ROOT, 'scripts')).map((name) => `scripts/${name}`)
const programs = [...recipes, 'cli/help.ts', ...TESTS]

// Names of a file's own place are relative to where the copy is: a checkout may be moved, and mounted elsewhere. No source
// has a name with a dollar sign, which would be declared twice.
const BANNER = `
import { createRequire as requireFor } from 'node:module'
const require = requireFor(import.meta.url)
const $sourceOf = (path) => new URL('../../' + path, import.meta.url).href
const $pathOf = (path) => decodeURIComponent(new URL($sourceOf(path)).pathname)`

const ownPlace = {
  name: 'own place',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const text = (name) => JSON.stringify(encodeURI(relative(ROOT, name)))
      const contents = readFileSync(path, 'utf8')
        .replaceAll('import.meta.dirname', () => `$pathOf(${text(dirname(path))})`)
        .replaceAll('import.meta.filename', () => `$pathOf(${text(path)})`)
        .replaceAll('import.meta.url', () => `$sourceOf(${text(path)})`)
      return { contents, loader: 'ts' }
    })
  },
}

// Messages of the schemas' library in sixty languages: none is shown.
const oneLanguage = {
  name: 'one language',
  setup({ onLoad }) {
    onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js'",
    }))
  },
}

const fresh = `${COMPILED}-${process.pid}`
const { metafile } = await build({
  absWorkingDir: ROOT,
  entryPoints: programs,
  outdir: fresh,
  entryNames: '[name]',
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  // Needed once in ten years, for a certificate; and their CommonJS has no named exports to a bundle.
  external: ['@peculiar/x509', 'reflect-metadata'],
  banner: { js: BANNER },
  plugins: [ownPlace, oneLanguage],
  metafile: true,
  minifyWhitespace: true,
  minifySyntax: true,
  logLevel: 'warning',
})

// The versions of the packages that went in are those of the lock file that npm leaves beside them.
const sources = Object.keys(metafile.inputs).filter((path) => !path.startsWith('node_modules/'))
const stamps = [...sources, 'node_modules/.package-lock.json'].map((path) => {
  const { size, mtimeMs } = statSync(join(ROOT, path))
  return [path, size, mtimeMs]
})
const outputs = Object.entries(metafile.outputs).flatMap(([path, { entryPoint }]) =>
  programs.includes(entryPoint) ? [[entryPoint, relative(fresh, join(ROOT, path))]] : [],
)
writeFileSync(
  join(fresh, 'sources.json'),
  JSON.stringify({ programs: Object.fromEntries(outputs), sources: stamps }),
)

// A copy that is there is moved away whole, so that a program that starts now finds one or none.
const old = `${fresh}-old`
for (let moved = false; !moved;) {
  rmSync(old, { recursive: true, force: true })
  moveUnless('ENOENT', COMPILED, old)
  moved = moveUnless('ENOTEMPTY', fresh, COMPILED) // somebody else has compiled meanwhile
}
rmSync(old, { recursive: true, force: true })

/** Says whether it could be moved. */
function moveUnless(code, from, to) {
  try {
    renameSync(from, to)
    return true
  } catch (error) {
    if (error.code === code) return false
    throw error
  }
}
