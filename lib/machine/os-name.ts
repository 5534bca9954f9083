import { plain } from '../base/text.ts'

const OS_NAMES: Record<string, string> = { Linux: 'linux', Darwin: 'macOS', FreeBSD: 'freebsd' }

/** A system as tailscale writes it, from what `uname -s` calls it; `unknown` where that is nothing. */
export function osNamed(sysname: string): string {
  return sysname === '' ? 'unknown' : (OS_NAMES[sysname] ?? plain(sysname.toLowerCase(), 63))
}
