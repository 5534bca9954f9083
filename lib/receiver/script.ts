import { readFileSync } from 'node:fs'
import { join } from 'node:path'

function text(file: string): string {
  return readFileSync(join(import.meta.dirname, file), 'utf8').replaceAll(/^ *#.*\n/gm, '')
}

/** POSIX sh, built-ins alone: `rs_show` prints what a machine keeps; `rs_clock` tells which start of it this is. */
export const SHOW = text('show.sh')

/** The same, and the functions that change it: see marks.sh. */
export const MARKS = `${SHOW}${text('marks.sh')}`
