import type { Command, Limits } from '../../../base/command.ts'
import { shellWord } from '../../../base/shell.ts'
import { plain } from '../../../base/text.ts'
import type { Host, Reach } from '../../../mesh/remote/host.ts'
import { NO_ROOT } from '../../../mesh/remote/script.ts'
import { tell } from '../../../mesh/remote/run.ts'
import { atTerminal } from '../../../mesh/ssh.ts'

/** The terminal of a process that has moved. */
export type TerminalThere = {
  /** The migration's. */
  id: string
  pid: number
  /** The kernel's name of the command. Safe to print. */
  command: string
  uid: number
}

/** Where target-terminal.sh makes them. */
const FOLDER = '/run/resource-sharing/terminals'

// A name of a command may hold newlines.
const LIST = `
for running in ${FOLDER}/*/running; do
  [ -r "$running" ] || continue
  id=\${running%/running}
  { read -r group uid && read -r pid start rest; } <"$running" || continue
  stat=$(cat "/proc/$pid/stat" 2>/dev/null)
  set -- \${stat##*) }
  [ "\${20:-}" = "$start" ] || continue
  printf 'terminal %s %s %s %s\\n' "\${id##*/}" "$pid" "$uid" "$(printf '%s' "$(cat "/proc/$pid/comm")" | tr -c '[:print:]' '?')"
done`

/**
 * The terminals of processes that have come to a machine and are there still; or why nobody can tell.
 *
 * @throws the signal's reason
 */
export async function terminalsThere(
  host: Host,
  reach: Reach,
  limits: Limits,
): Promise<TerminalThere[] | { reason: string }> {
  const said = await tell(host, { body: LIST, as: 'root' }, reach, limits)
  if (!said.known) return { reason: said.reason }
  if (said.status === NO_ROOT) return { reason: 'this needs root, or a sudo that asks no password' }
  return said.output.split('\n').flatMap((line) => {
    const form = /^terminal ([a-z0-9]{12}) (\d{1,10}) (\d{1,10}) (.*)$/
    const [, id, pid, uid, name = ''] = form.exec(line) ?? []
    return id === undefined ? [] : [{ id, pid: Number(pid), uid: Number(uid), command: plain(name, 40) }]
  })
}

/** The command that connects the terminal that this program was started in with one there. */
export async function attachCommand(
  host: Host,
  id: string,
  { connections, connectMs }: Reach,
): Promise<Pick<Command, 'file' | 'args'>> {
  if (!/^[a-z0-9]{12}$/.test(id)) throw new RangeError('not the ID of a migration')
  const folder = `${FOLDER}/${id}`
  // Its owner may without root.
  const script = `set -- python3 -I -S ${folder}/terminal.py attach ${folder}
[ "$(id -u)" = 0 ] || ! sudo -n true 2>/dev/null || set -- sudo -n -- "$@"
exec "$@"`
  if (!host.ssh) return { file: 'sh', args: ['-c', script] }
  const command = `exec sh -c ${shellWord(script)}`
  const files = await connections.files(host.ssh)
  return { file: 'ssh', args: atTerminal(host.ssh, command, connectMs / 1000, files) }
}
