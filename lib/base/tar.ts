import { run } from './command.ts'

/**
 * Tells GNU's tar to leave out the holes of files, which would arrive as zeros and take as much of the disk. Only GNU's
 * own and a few others understand such an archive: BusyBox's refuses it.
 */
export const LEAVE_OUT_HOLES = '--sparse'

/** POSIX sh whose status tells whether the tar of a machine is GNU's. */
export const IS_GNU_TAR = `case $(tar --version 2>/dev/null) in *'GNU tar'*) true ;; *) false ;; esac`

/** Whether the tar of this machine is GNU's. @throws the signal's reason */
export async function isGnuTar(signal: AbortSignal): Promise<boolean> {
  const limits = { timeoutMs: 10_000, signal }
  return (await run({ file: 'sh', args: ['-c', IS_GNU_TAR] }, limits)).exitCode === 0
}
