import type { Host } from '../host-handle.ts'
import { setLoad, setLoadFollowsWork } from '../load.ts'
import { clearNetem, linkDown, linkUp, netem } from './cable.ts'
import { become, linux, mac, setCpus } from './persona.ts'
import { bootHost, freezeHost, killHost, removeSmallDisk, smallDisk, thawHost } from './power.ts'
import * as ssh from './ssh.ts'
import * as tailscale from './tailscale.ts'

/** Everything that can be done to a host; each takes the host first. */
const actions = {
  setLoad,
  setLoadFollowsWork,
  linkDown,
  linkUp,
  netem,
  clearNetem,
  become,
  linux,
  mac,
  setCpus,
  bootHost,
  killHost,
  freezeHost,
  thawHost,
  smallDisk,
  removeSmallDisk,
  ...ssh,
  ...tailscale,
}

type Bound<Action> = Action extends (host: Host, ...args: infer Args) => Promise<void>
  ? (node: string, ...args: Args) => Promise<void>
  : never

/** The same, but each takes a host's name first. */
export type Controls = { readonly [Name in keyof typeof actions]: Bound<(typeof actions)[Name]> }

export const bindControls = (hostNamed: (name: string) => Host): Controls => {
  const all: Readonly<Record<string, (host: Host, ...args: never[]) => Promise<void>>> = actions
  const bound = Object.entries(all).map(([name, action]) => [
    name,
    async (node: string, ...args: never[]) => {
      await action(hostNamed(node), ...args)
    },
  ])
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- fromEntries forgets the names that `actions` has
  return Object.fromEntries(bound) as Controls
}
