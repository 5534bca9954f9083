import { mkdir, readdir } from 'node:fs/promises'
import { type HostLayout, type Layout, switchIp } from './layout.ts'
import { run } from './run.ts'

const netnsFolder = '/run/netns'

/** The network namespaces of this instance that exist, whichever run made them. */
export const netnsOf = async (lab: Layout): Promise<readonly string[]> => {
  const names = await readdir(netnsFolder).catch(() => [])
  return names.filter((name) => lab.netnsPattern.test(name))
}

export const netnsPath = (name: string): string => `${netnsFolder}/${name}`

const batch = async (lines: readonly string[], netns?: string): Promise<void> => {
  const where = netns === undefined ? [] : ['-netns', netns]
  await run(['ip', ...where, '-batch', '-'], { input: `${lines.join('\n')}\n` })
}

/**
 * One switch and a cable to each host. The cables are made between the switch's namespace and the host's, so
 * nothing ever appears in the network of the machine itself, and there is no way out of the lab.
 */
export const makeNetwork = async (lab: Layout, hosts: readonly HostLayout[]): Promise<void> => {
  await mkdir(netnsFolder, { recursive: true })
  await batch([lab.switchNetns, ...hosts.map((host) => host.netns)].map((name) => `netns add ${name}`))
  await batch(
    [
      'link add br0 type bridge',
      `addr add ${switchIp}/24 dev br0`,
      'link set lo up',
      'link set br0 up',
      ...hosts.flatMap((host) => [
        `link add ${host.name} type veth peer name eth0 netns ${host.netns}`,
        `link set ${host.name} master br0 up`,
      ]),
    ],
    lab.switchNetns,
  )
}

export const deleteNetns = async (names: readonly string[]): Promise<void> => {
  if (names.length > 0) await batch(names.map((name) => `netns del ${name}`))
}
