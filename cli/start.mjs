/**
 * Starts a program of this repository: `node cli/start.mjs scripts/NAME.ts ARGUMENT…`.
 *
 * Plain JavaScript, because it runs before anything is compiled. `npm ci` leaves a copy compiled by `compile.mjs`; it is
 * taken while every source is as it was then. Otherwise tsx compiles what is imported, each time anew.
 */
import { readFileSync, statSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

const OLDEST_NODE = [20, 19]
const ROOT = fileURLToPath(new URL('..', import.meta.url))
const COMPILED = `${ROOT}node_modules/.compiled/`

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  process.stderr.write(
    `this needs Node ${OLDEST_NODE.join('.')} or newer; ${process.execPath} is ${process.versions.node}\n`,
  )
  process.exit(1)
}

const script = process.argv[2] ?? ''
// The help of a recipe is its script's own text: nothing that the script imports is needed for it.
const help =
  script.startsWith('scripts/') && /^(?:--help|-h)$/.test(process.argv[3] ?? '') && process.argv.length === 4
const program = help ? 'cli/help.ts' : script
process.argv.splice(1, 2, ROOT + script)
await import(pathToFileURL(compiledCopy() ?? (await compiledAsNeeded())).href)

/** Where the compiled copy of the program is; undefined when there is none, or one of other sources than these. */
function compiledCopy() {
  // A stack then names the lines of the sources.
  if (process.env.DEBUG === 'resource-sharing') return undefined
  try {
    const { sources, programs } = JSON.parse(readFileSync(`${COMPILED}sources.json`, 'utf8'))
    for (const [path, size, mtimeMs] of sources) {
      const now = statSync(ROOT + path)
      if (now.size !== size || now.mtimeMs !== mtimeMs) return undefined
    }
    return programs[program] && COMPILED + programs[program]
  } catch {
    return undefined
  }
}

/** The program's own file, once tsx compiles what is imported. */
async function compiledAsNeeded() {
  // tsx would keep what it has compiled in a folder of /tmp that anybody may have made before, and what ran would be
  // theirs. It would also look for a tsconfig.json from the caller's folder upwards, whose `paths` decide what is imported.
  process.env.TSX_DISABLE_CACHE = '1'
  process.env.TSX_TSCONFIG_PATH = `${ROOT}tsconfig.json`
  await import('tsx/esm')
  return ROOT + program
}
