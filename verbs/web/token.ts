import { readFile } from 'node:fs/promises'
import { InputError, UsageError } from '../../lib/base/errors.ts'
import { messageOf, quoted } from '../../lib/base/text.ts'

export const TOKEN_VARIABLE = 'RESOURCE_SHARING_WATCH_TOKEN'

/** Nobody guesses one of so many characters over a network. */
const LEAST = 16
const MOST = 1024

/**
 * The token that lets somebody look who has no other right: from a file, else from the environment. Never from the command
 * line, which every user of the machine can read.
 *
 * @throws UsageError that names the file or the variable, not what is in it
 */
export async function readToken(
  file: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const said = file === undefined ? env[TOKEN_VARIABLE] : await contentOf(file)
  if (said === undefined || (file === undefined && said === '')) return undefined
  const token = said.trim()
  if (/^[\x21-\x7e]+$/.test(token) && token.length >= LEAST && token.length <= MOST) return token
  const wanted = `${LEAST} to ${MOST} characters of ASCII without a space between them`
  if (file !== undefined) throw new InputError('tokenFile', `${quoted(file)} must hold ${wanted}`)
  throw new UsageError(`${TOKEN_VARIABLE} must be ${wanted}`)
}

async function contentOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    throw new InputError(
      'tokenFile',
      `${quoted(file)} ${missing ? 'does not exist' : `can't be read: ${messageOf(error)}`}`,
    )
  }
}
