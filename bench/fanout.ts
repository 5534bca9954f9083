/**
 * fanout: how long mesh-balance takes to ask many machines, beside clush, pdsh, parallel-ssh and GNU parallel.
 *
 * Usage: just bench fanout [--hosts N,…] [--rounds N] [--lan] [--own-client] [--only CASE]     32 hosts, 5 rounds
 *
 * Real sshd on the hosts of a lab, all on this one machine, asked from one of them. In each round each program runs once,
 * one after the other, timed by hyperfine; the others run what answers the same, the load and the CPUs of each host. What
 * each of them prints is looked at before. cold: no connection is there. warm: each goes on with connections that it has
 * kept; of the others only those that can be told to. delay: 50 ms more each way. dead: two hosts do not answer, and all
 * wait for 5 s. memory: what each has at its most with all that it started, in a cold run. They are asked by their
 * addresses of a tailnet, with --lan by others; all by the ssh client of Debian 13, with --own-client by the one of this
 * machine.
 */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { execa } from 'execa'
import { openLab, type Lab } from '../test/lab/lab.ts'
import { askers, OURS, ROOT } from './askers.ts'
import { inTurns } from './hyperfine.ts'
import { median, report, rowOf, type Row } from './report.ts'

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '32' },
    rounds: { type: 'string', default: '5' },
    lan: { type: 'boolean', default: false },
    only: { type: 'string' },
    'own-client': { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
const log = (line: string): void => void process.stderr.write(`${line}\n`)
/** Ends the connections that were kept. */
const FORGET =
  'for each in /tmp/resource-sharing-0/* /run/bench/*; do [ ! -S "$each" ] || ssh -F none -o ControlPath="$each" -O exit x 2>/dev/null; done; true'

type Case = { name: string; addresses: readonly string[]; dead?: number; keep?: boolean; timeout?: number }

async function sh(lab: Lab, script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await lab.exec('n1', ['bash', '-c', script], {
    cwd: ROOT,
    timeoutMs: 300_000,
  })
  if (exitCode !== 0) throw new Error(`${script}: exit ${exitCode}: ${stderr}`)
  return stdout
}

/** A program of a shell, on n1. */
async function write(lab: Lab, file: string, script: string): Promise<void> {
  await lab.exec('n1', ['sh', '-c', `cat >${file}`], { input: `${script}\n` })
}

/** The ssh client of this machine becomes that of n1, with the library that it was built against. */
async function takeOwnClient(lab: Lab): Promise<void> {
  const { stdout } = await execa('sh', [
    '-c',
    `ldd /usr/bin/ssh | sed -n 's/.*libcrypto.* => \\([^ ]*\\).*/\\1/p'`,
  ])
  await sh(lab, 'mkdir -p /opt/own')
  for (const [file, to] of [
    ['/usr/bin/ssh', 'ssh'],
    [stdout, 'libcrypto.so.3'],
  ] as const) {
    const input = (await readFile(file)).toString('base64')
    await lab.exec('n1', ['sh', '-c', `base64 -d >/opt/own/${to} && chmod 755 /opt/own/${to}`], { input })
  }
  await write(lab, '/usr/local/bin/ssh', '#!/bin/sh\nLD_LIBRARY_PATH=/opt/own exec /opt/own/ssh "$@"')
  await sh(lab, 'chmod 755 /usr/local/bin/ssh')
}

/** The programs, each as a file on n1 that was run once and told of all hosts that are alive. */
async function ready(
  lab: Lab,
  { name, addresses, dead = 0, keep = false, timeout = 60 }: Case,
): Promise<{ name: string; file: string }[]> {
  const all = askers(addresses, { timeout, keep, named: values.lan })
  for (const [index, { name: who, command, count }] of all.entries()) {
    await write(lab, `/run/bench-${index}.sh`, command)
    const { stdout, stderr } = await lab.exec('n1', ['sh', `/run/bench-${index}.sh`], {
      cwd: ROOT,
      timeoutMs: 120_000,
    })
    if (count(stdout) !== addresses.length - dead)
      throw new Error(`${name}: ${who} has ${count(stdout)} hosts: ${stderr.slice(0, 500)}`)
  }
  return all.map(({ name: who }, index) => ({ name: who, file: `/run/bench-${index}.sh` }))
}

async function compare(lab: Lab, which: Case): Promise<Row[]> {
  const programs = await ready(lab, which)
  log(`${which.name}: all of them answer`)
  const prepare = which.keep ? {} : { prepare: 'sh /run/forget.sh' }
  const commands = programs.map(({ file }) => `sh ${file}`)
  const took = await inTurns(lab, commands, { ...prepare, rounds, mayFail: true })
  const all = programs.map(({ name }, index) => ({
    name,
    seconds: (took[index] ?? []).map((each) => each.seconds),
  }))
  const best = Math.min(...all.flatMap(({ name, seconds }) => (name === OURS ? [] : median(seconds))))
  return all.map(({ name, seconds }) => rowOf(which.name, name, 's', seconds, best))
}

async function memory(lab: Lab, which: Case): Promise<Row[]> {
  const found: Row[] = []
  for (const { name, file } of await ready(lab, which)) {
    log(`${which.name}: ${name}`)
    const most: number[] = []
    for (let round = 0; round < rounds; round += 1)
      most.push(
        Number(
          await sh(lab, `sh /run/forget.sh; python3 ${ROOT}/bench/tree_memory.py sh ${file} 2>/dev/null`),
        ),
      )
    found.push(rowOf(which.name, name, 'MB', most))
  }
  return found
}

async function measure(hosts: number): Promise<void> {
  const lab = await openLab({ instance: 'bench', hosts: hosts + 1, tailnet: !values.lan, log })
  try {
    await lab.trustLan('n1')
    await sh(lab, 'mkdir -p /run/bench')
    await write(lab, '/run/forget.sh', FORGET)
    if (values['own-client']) await takeOwnClient(lab)
    const addresses = lab.nodes
      .slice(1)
      .map(({ lanIp, tailnetIp }) => (values.lan ? lanIp : (tailnetIp ?? lanIp)))
    const cases: Record<string, () => Promise<Row[]>> = {
      cold: async () => await compare(lab, { name: 'cold', addresses }),
      warm: async () => await compare(lab, { name: 'warm', addresses, keep: true }),
      delay: async () => {
        await lab.netem('n1', 'delay 50ms')
        const rows = await compare(lab, { name: '50 ms more', addresses })
        await lab.clearNetem('n1')
        return rows
      },
      memory: async () => await memory(lab, { name: 'memory', addresses }),
      dead: async () => {
        for (const node of lab.nodes.slice(-2)) await lab.linkDown(node.name)
        return await compare(lab, { name: 'two are dead', addresses, dead: 2, timeout: 5 })
      },
    }
    const rows: Row[] = []
    for (const [name, run] of Object.entries(cases))
      if (values.only === undefined || values.only.split(',').includes(name)) rows.push(...(await run()))
    const client = (await sh(lab, 'ssh -V 2>&1')).trim().split(',')[0]
    report(`${hosts} hosts, ${client}`, rows, 'the best other')
  } finally {
    await lab.close()
  }
}

for (const hosts of values.hosts.split(',')) await measure(Number(hosts))
