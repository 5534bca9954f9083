/**
 * What shellcheck finds in the shell scripts of this repository, with `.shellcheckrc`: one of the checks of `just test`.
 *
 * Usage: node cli/start.mjs test/shell/main.ts
 */
import { availableParallelism } from 'node:os'
import pMap from 'p-map'
import { findingsIn, findingsInEach, PROGRAMS, shellFiles } from './programs.ts'

const fragments = new Set(PROGRAMS.flat())
const alone = (await shellFiles()).filter((path) => !fragments.has(path))
const looks = [async () => await findingsInEach(alone), ...PROGRAMS.map((files) => () => findingsIn(files))]
const found = await pMap(looks, async (look) => await look(), { concurrency: availableParallelism() })
// A fragment that is in several programs is looked at in each.
for (const line of new Set(found.flat())) process.stdout.write(`${line}\n`)
process.exitCode = found.flat().length > 0 ? 1 : 0
