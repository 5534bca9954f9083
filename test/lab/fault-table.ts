import { LabError } from './error.ts'
import type { Lab } from './lab.ts'

interface FaultCommand {
  /** Its arguments, as a person reads them. */
  readonly usage: string
  readonly apply: (lab: Lab, node: string, args: readonly string[]) => Promise<void>
}

const number = (text: string | undefined, what: string): number => {
  if (text === undefined || !/^\d+(?:\.\d+)?$/.test(text)) throw new LabError(`${what} must be a number`, 2)
  return Number(text)
}

const words = (text: string | undefined, what: string): string => {
  if (text === undefined || text === '') throw new LabError(`${what} is missing`, 2)
  return text
}

const plain = (apply: (lab: Lab) => (node: string) => Promise<void>): FaultCommand => ({
  usage: '',
  apply: async (lab, node) => await apply(lab)(node),
})

/** The names that `lab fault` knows; where one undoes another it stands below it. */
export const faultCommands: Readonly<Record<string, FaultCommand>> = {
  'link-down': plain((lab) => lab.linkDown),
  'link-up': plain((lab) => lab.linkUp),
  netem: {
    usage: '"delay 50ms 5ms loss 2%"',
    apply: async (lab, node, args) => await lab.netem(node, args.join(' ')),
  },
  'netem-clear': plain((lab) => lab.clearNetem),
  'sshd-stop': plain((lab) => lab.stopSshd),
  'sshd-hang': plain((lab) => lab.hangSshd),
  'sshd-start': plain((lab) => lab.startSshd),
  'key-reject': plain((lab) => lab.rejectKey),
  'key-accept': plain((lab) => lab.acceptKey),
  'host-key-change': plain((lab) => lab.changeHostKey),
  'bashrc-chatty': plain((lab) => lab.chattyBashrc),
  'bashrc-quiet': plain((lab) => lab.quietBashrc),
  mac: plain((lab) => lab.mac),
  linux: plain((lab) => lab.linux),
  'newer-criu': plain((lab) => async (node) => await lab.become(node, 'newer-criu')),
  'usual-criu': plain((lab) => async (node) => await lab.become(node, 'usual-criu')),
  cpus: { usage: 'N', apply: async (lab, node, [n]) => await lab.setCpus(node, number(n, 'N')) },
  'load-follows-work': {
    usage: '[SECONDS]',
    apply: async (lab, node, [seconds]) =>
      await lab.setLoadFollowsWork(node, { timeConstantSeconds: number(seconds ?? '60', 'SECONDS') }),
  },
  'tailscale-down': plain((lab) => lab.tailscaleDown),
  'tailscale-logout': plain((lab) => lab.logout),
  'tailscale-up': plain((lab) => lab.tailscaleUp),
  'tailscale-user': {
    usage: 'NAME',
    apply: async (lab, node, [name]) => await lab.tailscaleUser(node, words(name, 'NAME')),
  },
  'tailscaled-stop': plain((lab) => lab.tailscaledStop),
  'tailscaled-start': plain((lab) => lab.tailscaledStart),
  hostname: {
    usage: 'NAME',
    apply: async (lab, node, [name]) => await lab.tailscaleHostname(node, words(name, 'NAME')),
  },
  kill: plain((lab) => lab.killHost),
  boot: plain((lab) => lab.bootHost),
  freeze: plain((lab) => lab.freezeHost),
  thaw: plain((lab) => lab.thawHost),
  'small-disk': {
    usage: 'PATH MIB',
    apply: async (lab, node, [path, size]) =>
      await lab.smallDisk(node, words(path, 'PATH'), number(size, 'MIB')),
  },
  'small-disk-remove': {
    usage: 'PATH',
    apply: async (lab, node, [path]) => await lab.removeSmallDisk(node, words(path, 'PATH')),
  },
  'trust-lan': plain((lab) => lab.trustLan),
}
