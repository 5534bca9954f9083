/**
 * A failure of the lab that a person can act on. Its message is one line; `main.ts` prints it without a stack
 * and leaves with `exitCode` (2 for a wrong command line, 1 for everything else).
 */
export class LabError extends Error {
  override readonly name = 'LabError'
  readonly exitCode: number

  constructor(message: string, exitCode = 1, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}

/** Whether a file operation failed because there is nothing at that path. */
export const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT'
