import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'

const ROOT = join(import.meta.dirname, '../..')

const KEPT = ['lib/machine/reservations/show.sh', 'lib/machine/reservations/reservation.sh']
const STEPS = 'lib/work/migrate/machine'
const FACTS = ['lib/work/migrate/facts/machine.sh', `${STEPS}/attributes.sh`]
const BOTH_ENDS = [`${STEPS}/common.sh`, ...KEPT, `${STEPS}/files.sh`, `${STEPS}/attributes.sh`]

/**
 * The fragments of each program that is put together here and sent elsewhere, in the order in which they go. A fragment
 * alone would be full of names that nobody has given a value.
 */
export const PROGRAMS: readonly (readonly string[])[] = [
  [...KEPT, 'lib/work/jobs/runner.sh'],
  [...KEPT, 'lib/work/rebalance/hold-elsewhere.sh'],
  ['lib/work/holding/end-elsewhere.sh'],
  ['lib/work/doctor/doctor.sh'],
  [...FACTS, 'lib/work/migrate/facts/source.sh'],
  [...FACTS, 'lib/work/migrate/facts/target.sh'],
  [...BOTH_ENDS, `${STEPS}/source-files.sh`, `${STEPS}/source.sh`],
  [
    ...BOTH_ENDS,
    ...['target-files', 'target-attributes', 'target', 'target-terminal'].map(
      (name) => `${STEPS}/${name}.sh`,
    ),
  ],
]

/** The files of this repository for a shell: by their ending, or because their first line names one. */
export async function shellFiles(): Promise<string[]> {
  // In a container the checkout may be another user's, of whom git would take no word.
  const list = ['-c', 'safe.directory=*', 'ls-files', '--cached', '--others', '--exclude-standard']
  const { stdout } = await execa('git', list, { cwd: ROOT })
  const isForShell = (path: string) =>
    path.endsWith('.sh') || /^#!.*\b(?:ba|da)?sh\b/.test(readFileSync(join(ROOT, path), 'utf8'))
  return stdout.split('\n').filter((path) => existsSync(join(ROOT, path)) && isForShell(path))
}

/** What shellcheck finds in a program of several files, as one script that reads them one after the other. */
export async function findingsIn(files: readonly string[], folder = ROOT): Promise<string[]> {
  const input = ['# shellcheck shell=sh', ...files.map((file) => `. ./${file}`)].join('\n')
  const found = await shellcheck(['--external-sources', '--check-sourced', '-'], folder, input)
  // Of a file that it can't read at all it names the line by which it was to be read.
  return found.map((line) =>
    line.replace(/^-:(\d+):\d+:/, (all, number) => `${files[Number(number) - 2] ?? all}:`),
  )
}

/** What shellcheck finds in files that are run by themselves. */
export async function findingsInEach(files: readonly string[], folder = ROOT): Promise<string[]> {
  return await shellcheck(files, folder)
}

async function shellcheck(args: readonly string[], cwd: string, input = ''): Promise<string[]> {
  const ran = await execa('shellcheck', ['--format=gcc', ...args], { cwd, input, reject: false })
  // 1: there are findings; anything else, and it has not looked.
  if (ran.exitCode !== 0 && ran.exitCode !== 1) throw new Error(ran.stderr || ran.message)
  return ran.stdout.split('\n').filter((line) => line !== '')
}
