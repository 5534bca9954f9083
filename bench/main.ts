/**
 * Speed beside other programs, and what watching and agents cost.
 *
 * Usage: just bench [--json] [NAME [ARGUMENT…]]    all of them one after the other, or that one; --help lists them
 *
 * Most of them need the lab (root, Linux). The exit code is 1 when one of them failed.
 */
import { execa } from 'execa'

/** Each is a program of this folder; its own head tells how it measures. */
const BENCHES: Readonly<Record<string, { what: string; args: string }>> = {
  start: { what: 'recipes that have little to do, beside node -e 0', args: '[--rounds N]' },
  fanout: {
    what: 'many machines answer, beside clush, pdsh, parallel-ssh and parallel',
    args: '[--hosts N,…] [--rounds N] [--lan] [--own-client] [--only CASE,…]',
  },
  processes: { what: 'scum-view among many processes, beside ps', args: '[PROCESSES] [--rounds N]' },
  plan: { what: 'a plan for a mesh is made, beside simpler policies', args: '[--rounds N]' },
  share: {
    what: 'a file, and many, go to another machine, beside curl, scp and Taildrop',
    args: '[MIB] [--files N] [--rounds N]',
  },
  migrate: {
    what: 'a process that moves stands still, beside criu, tar and ssh by hand',
    args: '[ROUNDS] [--sizes MIB,…]',
  },
  watch: {
    what: 'many machines are watched: CPU, memory and bytes, here and there',
    args: '[HOSTS] [--seconds S] [--stand-ins N]',
  },
  prometheus: { what: 'find-minus of a Prometheus, beside its bare query', args: '[MACHINES]' },
  nats: { what: 'a bucket of NATS is read, and what an agent costs', args: '[MACHINES] [SECONDS]' },
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function usage(line: string): never {
  say(`${line}; there are ${Object.keys(BENCHES).join(', ')}`)
  process.exit(2)
}

const words = process.argv.slice(2)
const json = words[0] === '--json'
const [name, ...args] = json ? words.slice(1) : words
if (name === '--help' || name === '-h') {
  say('just bench [--json] [NAME [ARGUMENT…]]')
  for (const [each, { what, args: its }] of Object.entries(BENCHES))
    say(`  ${each.padEnd(11)} ${what}: ${its}`)
  process.exit(0)
}
if (name !== undefined && !Object.hasOwn(BENCHES, name))
  usage(name.startsWith('-') ? `there is no option "${name}"` : `there is no bench "${name}"`)

// What is measured is what npm ci leaves; a source that is changed meanwhile would be compiled anew by each start.
await execa('node', ['cli/compile.mjs'])
const failed: string[] = []
for (const each of name === undefined ? Object.keys(BENCHES) : [name]) {
  const { exitCode } = await execa('node', ['cli/start.mjs', `bench/${each}.ts`, ...args], {
    env: json ? { BENCH_JSON: '1' } : {},
    stdio: 'inherit',
    reject: false,
  })
  if (exitCode !== 0) failed.push(each)
}
if (failed.length > 0) say(`failed: ${failed.join(', ')}`)
process.exitCode = failed.length > 0 ? 1 : 0
