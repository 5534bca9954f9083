/** The exit codes of every script, in one place. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  noSuitableNode: 3,
  notMeasured: 4,
  refused: 5,
  inDoubt: 6,
  interrupted: 130,
} as const

/**
 * Something that a person can act on: its message is one line that says what happened and what to do.
 * Anything else that is thrown is a defect of this program.
 */
export class Failure extends Error {
  override name = 'Failure'
  readonly exitCode: number = EXIT.failed
}

/** The command line, an environment variable or a hosts file can't be understood. Names the flag and the value. */
export class UsageError extends Failure {
  override name = 'UsageError'
  override readonly exitCode = EXIT.usage
}

/**
 * A value of an input is not one that can be. `field` is the input's own name: a recipe shows its flag, an agent's tool
 * the name that the agent gave.
 */
export class InputError extends UsageError {
  override name = 'InputError'
  readonly field: string
  /** What is wrong, as in "FIELD takes …, not …". */
  readonly says: string

  constructor(field: string, says: string) {
    super(`${field} ${says}`)
    this.field = field
    this.says = says
  }
}

/** Every node was looked at and none would do. */
export class NoSuitableNode extends Failure {
  override name = 'NoSuitableNode'
  override readonly exitCode = EXIT.noSuitableNode
}

/** The person pressed Ctrl-C, or somebody ended the program. */
export class Interrupted extends Failure {
  override name = 'Interrupted'
  override readonly exitCode = EXIT.interrupted
}

/** Doing it would harm something: refused before anything was touched. */
export class Refused extends Failure {
  override name = 'Refused'
  override readonly exitCode = EXIT.refused
}
