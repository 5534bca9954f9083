/**
 * The library for NATS, as far as it is used. It is loaded from here alone, and only when a server is to be asked: what is
 * loaded late has its names only where a module of this program's own gives them to it.
 */
export {
  AuthorizationError,
  connect,
  credsAuthenticator,
  headers,
  nkeyAuthenticator,
  nkeys,
  NoRespondersError,
  PermissionViolationError,
  TimeoutError,
  UserAuthenticationExpiredError,
} from '@nats-io/transport-node'

// What it can't parse of a server's it prints on standard output, which is for results, escape codes and all.
const { log } = console
// oxlint-disable-next-line no-console -- it is how the library prints
console.log = (...said: unknown[]) => {
  if (said[0] !== 'reader closed') log(...said)
}
