/** Names of shells as the kernel has them; a login shell's begins with a dash. */
export const SHELLS =
  /^-?(?:sh|bash|dash|ash|busybox|zsh|ksh|ksh93|mksh|oksh|yash|fish|tcsh|csh|nu|elvish|xonsh|pwsh|rc)$/

/** Names of programs that begin others' work, such as cron and sshd: when that is too busy, it is not they who are meant. */
export const KEEPERS =
  /^(?:systemd|init|cron|crond|CRON|anacron|atd|runsv|s6-supervise|sshd.*|dropbear|tailscaled|login|su|sudo|tmux.*|screen|SCREEN|dockerd|containerd.*|conmon)$/

/** Somebody above a process: its parent, that one's parent, and so on. */
export type Ancestor = {
  pid: number
  /** The kernel's name of the command, as it is: not yet safe to print. */
  command: string
  /** Of its controlling terminal, as the kernel numbers it; 0 without one. */
  terminal: number
  /** What its standard input is, as the kernel names it; empty where nobody may know. */
  input: string
  /** The words of its command line, with blanks between them. */
  line: string
  /** Where its arguments lie in its memory: a program that is begun has a place of its own, a fork its parent's. */
  image: string
}

/** Options of shells whose next word is theirs, and no script. */
const WITH_VALUE = new Set([
  '--rcfile',
  '--init-file',
  '-o',
  '+o',
  '-O',
  '+O',
  '--init-command',
  '-C',
  '--features',
])

/**
 * Whether it is a shell that a person types into, which only tells of the end of what it has begun. One that runs a
 * script or the words of `-c` waits for it, and does what comes next.
 */
export function isInteractiveShell({ command, terminal, input, line }: Ancestor): boolean {
  if (!SHELLS.test(command) || terminal === 0 || !/^\/dev\/(?:pts\/|tty|console)/.test(input)) return false
  const words = line.split(' ').filter((word) => word !== '')
  const own = words[0]?.endsWith('busybox') ? words.slice(2) : words.slice(1)
  for (let index = 0; index < own.length; index += 1) {
    const word = own[index] ?? ''
    if (WITH_VALUE.has(word)) index += 1
    else if (!/^[-+]/.test(word) || /^-[a-z]*c|^--commands?=/.test(word)) return false
  }
  return true
}

/** Whether a shell has begun this one to run a part of what it was told, such as a loop in the background. */
function isSubshell({ image }: Ancestor, parent: Ancestor | undefined): boolean {
  return parent !== undefined && SHELLS.test(parent.command) && parent.image === image
}

/**
 * Who waits for the end of a process and may act on it, from its parent upwards, up to the first that does not: the
 * first process and the manager of a user's services, which take in whose parent has ended, or a shell at its prompt.
 */
export function waitingFor(ancestors: readonly Ancestor[]): Ancestor[] {
  const harmless = ancestors.findIndex(
    (each, index) =>
      each.pid === 1 ||
      each.command === 'systemd' ||
      (isInteractiveShell(each) && !isSubshell(each, ancestors[index + 1])),
  )
  return harmless === -1 ? [...ancestors] : ancestors.slice(0, harmless)
}
