import { messageOf, plain } from '../base/text.ts'

/** Names that Node gives what it says of certificates (nodejs.org/api/tls.html, X509 certificate error codes). */
const NOT_VALID_NOW = /^CERT_(?:HAS_EXPIRED|NOT_YET_VALID)$/
const NOT_TRUSTED =
  /^(?:UNABLE_TO_|CERT_|DEPTH_ZERO_SELF_SIGNED_CERT$|SELF_SIGNED_CERT_IN_CHAIN$|INVALID_(?:CA|PURPOSE)$|PATH_LENGTH_EXCEEDED$)/
/** What a server says of this side's certificate, as OpenSSL names the alerts of TLS. */
const NOT_TAKEN =
  /alert[ _](?:\w*[ _])?(?:certificate|unknown[ _]ca|access[ _]denied|handshake[ _]failure|decrypt[ _]error)/i
const NO_TLS = /wrong[ _]version[ _]number|packet[ _]length[ _]too[ _]long/i
/** The alert may be overtaken by the end of the connection on which it was sent. */
const ENDED = /^(?:ECONNRESET|EPIPE)$/
/** What Node 24 adds to some, about an option of its own, which nobody gives it here. */
const NODES_ADVICE = /; if the root CA is installed locally, try .*$/s
const CONFIG = 'in tls_config of a file for --source-config'

/**
 * What kept a connection over TLS from being made, as the end of a sentence about the server, with what to do.
 *
 * @param overTls whether it was to be one: a server that lets nobody in without a certificate may just end it
 * @returns undefined where it is nothing of TLS
 */
export function tlsFault(error: unknown, overTls: boolean): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = 'code' in cause ? String(cause.code) : ''
    const why = plain(messageOf(cause).replace(NODES_ADVICE, ''), 200)
    // What OpenSSL says is a code, or where it says so on writing, a message.
    const said = code.startsWith('ERR_SSL_') ? code : code === 'EPROTO' ? why : ''
    if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
      return `shows a certificate of another name: ask it by that one, or say server_name ${CONFIG}: ${why}`
    if (NOT_VALID_NOW.test(code))
      return `shows a certificate that is not valid now (${why}): renew it, or set the clock of this machine`
    if (NOT_TRUSTED.test(code))
      return `shows a certificate that is not trusted here (${why}): name its issuer's as ca_file ${CONFIG}`
    if (NOT_TAKEN.test(said))
      return `wants a certificate of this side that it knows: name it as cert_file and key_file ${CONFIG}`
    if (overTls && ENDED.test(code))
      return `ends the connection, as one does that wants another certificate of this side: name that as cert_file and key_file ${CONFIG}`
    if (NO_TLS.test(said))
      return 'speaks no TLS there: is it the right port, and should the address begin without it?'
  }
  return undefined
}
