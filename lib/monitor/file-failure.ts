import { Failure } from '../base/errors.ts'
import { messageOf, quoted } from '../base/text.ts'

/** That a file could not be written, in one line that names the flag and the file as the person wrote it. */
export function fileFailure(flag: string, file: string, thrown: unknown): Failure {
  // The system's message goes on with the call and a path, which may be that of a temporary file.
  const reason = messageOf(thrown).replace(/^([A-Z0-9]+: [^,]+), .*/, '$1')
  return new Failure(`${flag} ${quoted(file)} can't be written: ${reason}`, { cause: thrown })
}
