import type { Host } from '../host-handle.ts'
import { noteFaults } from '../host-record.ts'
import { script, service } from '../script.ts'

const eachUser = 'for home in /root /home/operator; do cd "$home"; '

/** New connections are refused; those that are open stay. */
export const stopSshd = async (host: Host): Promise<void> => {
  await service(host, 'kill', 'hung-sshd')
  await service(host, 'kill', 'sshd')
  await noteFaults(host, { sshd: 'stopped' })
}

/** Connections are accepted and then nothing is ever said. */
export const hangSshd = async (host: Host): Promise<void> => {
  await stopSshd(host)
  await service(host, 'start', 'hung-sshd')
  await noteFaults(host, { sshd: 'hangs' })
}

/** Undoes `stopSshd` and `hangSshd`. */
export const startSshd = async (host: Host): Promise<void> => {
  await service(host, 'kill', 'hung-sshd')
  await service(host, 'start', 'sshd')
  await noteFaults(host, { sshd: undefined })
}

/** Nobody's key is accepted any more, neither root's nor operator's. */
export const rejectKey = async (host: Host): Promise<void> => {
  await script(host, `${eachUser} : >.ssh/authorized_keys; done`)
  await noteFaults(host, { rejectKey: '' })
}

export const acceptKey = async (host: Host): Promise<void> => {
  await script(host, `${eachUser} cat .ssh/id_ed25519.pub >.ssh/authorized_keys; done`)
  await noteFaults(host, { rejectKey: undefined })
}

/** New host keys, as after a new installation or with another machine in the middle. There is no way back. */
export const changeHostKey = async (host: Host): Promise<void> => {
  await script(
    host,
    `for type in ed25519 ecdsa; do key=/etc/ssh/ssh_host_\${type}_key
     rm -f "$key" "$key.pub"; ssh-keygen -q -t "$type" -N '' -C "$1" -f "$key"; done`,
    [host.name],
  )
  await service(host, 'kill', 'sshd')
  await service(host, 'start', 'sshd')
}

/** What a talkative login says, among it lines that could be taken for measurements. */
const chatter = [
  'echo "Welcome! 3 updates can be installed."',
  'echo "load1 0.00"',
  'echo "cpus 64"',
  'echo "0.00 0.00 0.00 1/50 1"',
  'echo " 00:00:00 up 1 day,  load average: 0.00, 0.00, 0.00"',
  'echo "Darwin"',
  'echo "warning: disk almost full" >&2',
  'echo "load1 0.00" >&2',
]

/** Both users' .bashrc talk, on both streams, in every ssh session: bash reads it when sshd starts it. */
export const chattyBashrc = async (host: Host): Promise<void> => {
  await quietBashrc(host)
  const lines = ['# lab: chatter', ...chatter, '# lab: end', ''].join('\n')
  await script(host, `${eachUser} { printf %s "$1"; cat .bashrc; } >.new; cat .new >.bashrc; rm .new; done`, [
    lines,
  ])
  await noteFaults(host, { chattyBashrc: '' })
}

export const quietBashrc = async (host: Host): Promise<void> => {
  await script(host, `${eachUser} sed -i '/^# lab: chatter$/,/^# lab: end$/d' .bashrc; done`)
  await noteFaults(host, { chattyBashrc: undefined })
}

/** Lets both users of a host ssh to every LAN address and name without being asked about a new host key. */
export const trustLan = async (host: Host): Promise<void> => {
  const lines: string[] = []
  for (const other of host.neighbours) {
    const keys = await script(other, 'cut -d " " -f 1,2 /etc/ssh/ssh_host_*_key.pub')
    for (const key of keys.split('\n')) lines.push(`${other.lanIp},${other.name}.lan ${key}\n`)
  }
  const write = `${eachUser} printf %s "$1" >>.ssh/known_hosts; chown --reference=.ssh .ssh/known_hosts; done`
  await script(host, write, [lines.join('')])
}
