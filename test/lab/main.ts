import { help, parse } from './arguments.ts'
import { cleanUp } from './cleanup.ts'
import { LabError } from './error.ts'
import { attachTo } from './exec.ts'
import { faultCommands } from './fault-table.ts'
import { readLabRecord } from './host-record.ts'
import { attachLab, hostsOf, openLab } from './lab.ts'
import { layoutOf, repositoryInside } from './layout.ts'
import { takeLock } from './lock.ts'
import { needRootAndLinux } from './provision/provision.ts'
import { statusLines } from './status.ts'

const say = (line: string): void => void process.stderr.write(`${line}\n`)
const print = (line: string): void => void process.stdout.write(`${line}\n`)

const hostsIn = async (instance: string) => {
  needRootAndLinux()
  const layout = layoutOf(instance)
  const record = await readLabRecord(layout.recordFile)
  if (record === undefined) throw new LabError(`instance ${instance} is not up`)
  return { hosts: hostsOf(layout, record.hosts), tailnet: record.tailnet }
}

const run = async (argv: readonly string[]): Promise<number> => {
  const { values, positionals, rest } = parse(argv)
  const [command, node = '', name = '', ...args] = positionals
  const { instance } = values
  if (values.help || command === undefined) {
    print(help.trimEnd())
    return 0
  }
  switch (command) {
    case 'up': {
      const hosts = node === '' ? 4 : Number(node)
      const lab = await openLab({
        instance,
        hosts,
        tailnet: !values['no-tailnet'],
        log: say,
        lockTimeoutMs: 5000,
      })
      await lab.leave()
      return 0
    }
    case 'down': {
      needRootAndLinux()
      const layout = layoutOf(instance)
      const lock = await takeLock(layout.lockFile, 5000, `instance ${instance}`)
      await cleanUp(layout)
      await lock.release()
      return 0
    }
    case 'status': {
      const { hosts, tailnet } = await hostsIn(instance)
      for (const line of await statusLines(hosts, tailnet)) print(line)
      return 0
    }
    case 'exec': {
      const [target, ...words] = rest
      const host = (await hostsIn(instance)).hosts.find((one) => one.name === target)
      const user = values.user === 'operator' ? 'operator' : 'root'
      if (host === undefined) throw new LabError(`exec: no host "${target ?? ''}"`, 2)
      if (words[0] === '--') words.shift()
      if (words.length === 0) throw new LabError('exec: which command?', 2)
      return await attachTo(host, words, { user, cwd: repositoryInside })
    }
    case 'load': {
      const loads = [name, ...args].map(Number)
      const [load1, load5, load15] = loads
      if (name === '' || load1 === undefined || !loads.every((load) => load >= 0)) {
        throw new LabError('load: NODE L1 [L5 L15], numbers from 0', 2)
      }
      await (await attachLab(instance)).setLoad(node, load1, load5, load15)
      return 0
    }
    case 'fault': {
      const fault = faultCommands[name]
      if (fault === undefined) throw new LabError(`fault: no "${name}"; lab --help lists them`, 2)
      await fault.apply(await attachLab(instance), node, args)
      return 0
    }
    default:
      throw new LabError(`no command "${command}"; lab --help lists them`, 2)
  }
}

try {
  process.exitCode = await run(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof LabError)) throw error
  say(`lab: ${error.message.split('\n')[0]}`)
  process.exitCode = error.exitCode
}
