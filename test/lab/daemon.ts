import { execa } from 'execa'
import { LabError } from './error.ts'
import { type ProcessRecord, recordProcess } from './processes.ts'
import { toolPath } from './run.ts'

export interface DaemonOptions {
  readonly logFile: string
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Starts a command that outlives this process: in a session of its own, with nothing of this process open and its
 * output appended to a file. The shell only opens that file and then becomes the command, so the recorded
 * process is the command's.
 */
export const startDaemon = async (
  argv: readonly string[],
  options: DaemonOptions,
): Promise<ProcessRecord> => {
  const child = execa('sh', ['-c', 'exec "$@" >>"$0" 2>&1', options.logFile, ...argv], {
    detached: true,
    cleanup: false,
    reject: false,
    stdio: 'ignore',
    extendEnv: false,
    env: { PATH: toolPath, ...options.env },
    cwd: '/',
  })
  child.unref()
  if (child.pid === undefined) throw new LabError(`${argv[0]} could not be started`)
  return await recordProcess(child.pid)
}
