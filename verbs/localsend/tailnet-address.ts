import { Callers } from '../../lib/share/localsend/receiver/addresses.ts'

const own = new Callers([])

/** Whether an address is this machine's or its tailnet's: WireGuard encrypts the way there, and knows who is at its end. */
export function isOfTailnet(address: string): boolean {
  return own.classOf(address) === 'own'
}
