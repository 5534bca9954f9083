import { shellText } from '../../base/shell-text.ts'

/** POSIX sh, built-ins alone: `rs_show` prints what a machine keeps; `rs_clock` tells which start of it this is. */
export const SHOW = shellText(import.meta.dirname, 'show.sh')

/** The same, and the functions that change it: see reservation.sh. */
export const MARKS = `${SHOW}${shellText(import.meta.dirname, 'reservation.sh')}`
