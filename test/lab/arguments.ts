import { parseArgs } from 'node:util'
import { LabError } from './error.ts'
import { faultCommands } from './fault-table.ts'

export const help = `A real tailnet on this one machine: hosts n1, n2 … with sshd, tailscaled and criu of their own.

  lab up [N]                    start N hosts (4); the first time it builds for some minutes
  lab down                      stop them and delete their disks
  lab status                    a row a host
  lab exec NODE COMMAND…        run a command in a host, in the repository
  lab load NODE L1 [L5 L15]     set the load average of a host
  lab fault NODE NAME [ARG…]    break something, or mend it:
${Object.entries(faultCommands)
  .map(([name, { usage }]) => `      ${name} ${usage}`.trimEnd())
  .join('\n')}

Options, before the command or after it (for exec: before NODE):
  --instance NAME   another lab beside this one (lab)
  --user NAME       for exec: root or operator (root)
  --no-tailnet      for up: sshd on the LAN only
  --help
Needs root, Linux and Go. Everything is kept in \${XDG_CACHE_HOME:-~/.cache}/resource-sharing-lab.
`

const options = {
  instance: { type: 'string', default: 'lab' },
  user: { type: 'string', default: 'root' },
  'no-tailnet': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** Everything from NODE on belongs to the command that is to be run, dashes and all. */
const splitAtNode = (argv: readonly string[]): [own: string[], rest: string[]] => {
  const { tokens } = parseArgs({
    args: [...argv],
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const operands = tokens.filter((token) => token.kind === 'positional')
  const node = operands[0]?.value === 'exec' ? operands[1]?.index : undefined
  return node === undefined ? [[...argv], []] : [argv.slice(0, node), argv.slice(node)]
}

const badOption = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')

/** Splits a command line into options, operands and, for `exec`, the command to be run. */
export const parse = (argv: readonly string[]) => {
  const [own, rest] = splitAtNode(argv)
  try {
    return { ...parseArgs({ args: own, options, allowPositionals: true }), rest }
  } catch (error) {
    if (badOption(error)) throw new LabError(error.message.split('. ')[0] ?? error.message, 2)
    throw error
  }
}
