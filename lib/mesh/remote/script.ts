import { randomBytes } from 'node:crypto'
import { readFrame } from '../../base/frame.ts'

/** As whom a script runs: the user who is there, root by `sudo -n`, or root where that works and the user else. */
export type As = 'self' | 'root' | 'root-if-possible'

/**
 * A program for a POSIX `sh`, and the nonce that frames its answer. Its text is one line, which `READ_SCRIPT` takes from
 * the standard input.
 */
export type Script = { nonce: string; text: string }

/**
 * POSIX sh that runs a script which is the first line of its standard input; what follows is the script's own input, to
 * the last byte. Only the shell's `read` is sure to take no more than the line: head(1) of BusyBox and of the BSDs reads in
 * blocks, and so does a shell that reads its program.
 */
export const READ_SCRIPT = 'IFS= read -r RS && eval "$(printf %b "$RS")"'

/** What a script ends with when there is neither root nor a `sudo` that asks no password. EX_NOPERM of sysexits(3). */
export const NO_ROOT = 77

/**
 * A text that a shell's `printf %b` turns back into the bytes of a value: letters, digits, `/ . _ -` and octal
 * escapes, nothing that means something to a shell. So what comes from elsewhere is never a shell's text.
 */
export function octal(value: string): string {
  return [...Buffer.from(value)]
    .map((byte) => {
      const character = String.fromCodePoint(byte)
      return /[A-Za-z0-9/._-]/.test(character) ? character : `\\0${byte.toString(8).padStart(3, '0')}`
    })
    .join('')
}

/**
 * A script with values as its variables, framed: between the lines `NONCE begin` and `NONCE end STATUS` stands what it
 * printed. Whatever a login shell prints around that is not taken for the answer.
 *
 * @param body POSIX sh. Its standard input is what follows the script.
 * @param values of variables, by name; they may hold anything but NUL
 * @param frame where it stands; what else is printed there is between or around it
 */
export function framedScript(
  body: string,
  values: Readonly<Record<string, string>>,
  as: As,
  frame: 'stdout' | 'stderr' = 'stdout',
): Script {
  const nonce = randomBytes(16).toString('hex')
  const names = Object.keys(values)
  const odd = names.find((name) => !/^[A-Z][A-Z0-9_]*$/.test(name))
  if (odd !== undefined) throw new RangeError(`${odd} is not the name of a shell variable`)
  const assignments = names.map((name) => {
    // The last byte keeps newlines at the end from being stripped.
    return `${name}=$(printf '%b.' '${octal(values[name] ?? '')}'); ${name}=\${${name}%.}`
  })
  const to = frame === 'stderr' ? ' >&2' : ''
  const program = [
    'LC_ALL=C; export LC_ALL; umask 077',
    'PATH="${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"; export PATH',
    ...assignments,
    `printf '\\n%s begin\\n' ${nonce}${to}`,
    `(\n${body}\n)`,
    `printf '\\n%s end %s\\n' ${nonce} $?${to}`,
  ].join('\n')
  return { nonce, text: oneLine(as === 'self' ? program : asRoot(program, nonce, as, to)) }
}

/** A program as one line for `READ_SCRIPT`. */
export function oneLine(text: string): string {
  return `${text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`
}

/** The same program, given to `sudo -n` as one argument where this user is not root. */
function asRoot(program: string, nonce: string, as: As, to: string): string {
  const failed = `printf '\\n%s begin\\n\\n%s end ${NO_ROOT}\\n' ${nonce} ${nonce}${to}`
  return `RS=$(cat <<'${nonce}'
${program}
${nonce}
)
if [ "$(id -u)" = 0 ]; then eval "$RS"
elif sudo -n true 2>/dev/null; then exec sudo -n -- sh -c "$RS"
else ${as === 'root' ? failed : 'eval "$RS"'}
fi`
}

/** What a script printed, and its exit status; undefined when the answer is not all there. */
export function answerOf(output: string, nonce: string): { output: string; status: number } | undefined {
  const frame = readFrame(output, nonce)
  if (frame.state !== 'whole' || frame.status === undefined) return undefined
  return { output: frame.body, status: frame.status }
}
