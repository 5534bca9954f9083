/** Prints the help of the script that this program was started for by `start.mjs`. */
import { helpOf } from './header-comment.ts'

// A reader that has seen enough (`| head -1`) is no error.
process.stdout.on('error', () => undefined)
process.stdout.write(`${await helpOf(process.argv[1] ?? '')}\n`)
