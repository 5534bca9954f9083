import { EXIT, Failure } from '../../base/errors.ts'

/** What went wrong with a peer. */
export type Trouble =
  | 'unreachable' // nobody answers
  | 'foreign' // something answers that is not LocalSend, or speaks no TLS
  | 'changed' // its certificate is not the one that is remembered
  | 'pin' // it wants a PIN, or another one
  | 'locked' // too many wrong PINs
  | 'declined'
  | 'busy'
  | 'broken' // the connection broke, again and again
  | 'damaged' // what arrived was not what was sent, again and again
  | 'failed' // it says that it failed
  | 'strange' // an answer that the protocol does not have

/** A peer that did not take what was to be sent. */
export class PeerFailure extends Failure {
  override name = 'PeerFailure'
  override readonly exitCode: number
  readonly trouble: Trouble
  /** Whether some of the files were accepted: then no other peer is to be tried. */
  readonly accepted: boolean

  constructor(trouble: Trouble, message: string, options: ErrorOptions & { accepted?: boolean } = {}) {
    super(message, options)
    this.trouble = trouble
    this.accepted = options.accepted ?? false
    this.exitCode = trouble === 'changed' ? EXIT.refused : EXIT.failed
  }

  /** Whether another peer may take what this one did not: not where the person has something to decide. */
  get nextMayTake(): boolean {
    return !this.accepted && !['changed', 'pin'].includes(this.trouble)
  }
}

/** What each status of an answer means to the person who sends. `said` is the peer's own word, made plain. */
export function refusal(status: number, peer: string, said: string, accepted: boolean): PeerFailure {
  const why = said === '' ? '' : `: ${said}`
  const options = { accepted }
  switch (status) {
    case 401:
      return new PeerFailure('pin', `${peer} wants a PIN, or another one: say it with --pin`, options)
    case 403:
      return new PeerFailure('declined', `${peer} declined${why}`, options)
    case 409:
      return new PeerFailure(
        'busy',
        `${peer} is busy with another transfer: wait longer with --wait`,
        options,
      )
    case 429:
      return new PeerFailure(
        'locked',
        `${peer} takes no more PINs from this machine: restart LocalSend there`,
        options,
      )
    case 500:
      return new PeerFailure('failed', `${peer} failed to store it${why}: is its disk full?`, options)
    default:
      return new PeerFailure(
        'strange',
        `${peer} answered ${status}${why}: is its LocalSend up to date?`,
        options,
      )
  }
}
