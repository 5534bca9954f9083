import type { CriuFacts } from '../facts/facts.ts'

/**
 * Whether this criu moves sockets of the network. Since 6.16 a kernel gives less of them to who asks, and an older criu
 * takes that for an error, whatever the socket.
 */
export function movesSockets(criu: Pick<CriuFacts, 'version'> | undefined): boolean {
  return criu !== undefined && !olderThan(criu.version, '4.2')
}

/** Whether a version's first two numbers are less than another's. */
export function olderThan(version: string, than: string): boolean {
  const [[major = 0, minor = 0] = [], [thanMajor = 0, thanMinor = 0] = []] = [version, than].map((text) =>
    text.split(/\D/).slice(0, 2).map(Number),
  )
  return major < thanMajor || (major === thanMajor && minor < thanMinor)
}

/** How to get one that does. */
export const GET_NEWER =
  'Debian testing has it, and its packages go into Debian 13 (`apt install -t testing criu`); elsewhere from criu.org'
