import { PeerFailure } from '../../lib/share/localsend/failures.ts'

/** An error of a peer as an agent reads it: the flags that its message names are a person's to say. */
export function forAgents(error: unknown): unknown {
  if (!(error instanceof PeerFailure) || !error.message.includes('--')) return error
  const { trouble, accepted } = error
  const message = `${error.message} (a flag of \`just share-to-idle\`: ask the person to send it so)`
  return new PeerFailure(trouble, message, { cause: error, accepted })
}
