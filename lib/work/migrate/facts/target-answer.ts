import { plain } from '../../../base/text.ts'
import type { PortInUse, TargetFacts, TargetPath, TargetUser } from './facts.ts'
import { plainAddress } from './addresses.ts'
import { hashesIn, kindOf, machineFacts } from './machine-facts.ts'
import { matched, numberIn, Sections } from './records.ts'

/**
 * What target.sh found out.
 *
 * @throws BadFacts when it is not all there, or a part of it is not what it prints
 */
export function parseTarget(output: string, host: string): TargetFacts {
  const sections = new Sections(output)
  const facts = {
    ...machineFacts(sections),
    host,
    paths: pathsIn(sections),
    taken: sections.numbers('taken'),
    mostPid: sections.number('most') - 1,
    users: sections.groups('users', 3).map((user) => userOf(user)),
    ...(sections.has('addresses')
      ? {
          addresses: sections.items('addresses').map((each) => plainAddress(plain(each, 45))),
          inUse: sections.lines('ports').map((line) => portIn(line)),
        }
      : {}),
    ...(sections.has('tools')
      ? { tools: sections.items('tools'), cpus: sections.one('cpus', /^[\d,-]+$/) }
      : {}),
  }
  if (!sections.has('cpu')) return facts
  const [status, line = ''] = sections.items('cpu')
  return { ...facts, cpu: { ok: numberIn('status', status) === 0, line: plain(line, 160) } }
}

function pathsIn(sections: Sections): Record<string, TargetPath> {
  const hashes = hashesIn(sections.items('hashes'))
  const left = hashesIn(sections.items('left').map((item) => item.replace(' ', '  ')))
  return Object.fromEntries(
    sections.groups('paths', 2).map(([path = '', text = '']) => {
      const form = /^([0-9a-f]{1,8}) (\d{1,16}) (\d{1,10}) (\d{1,10})$/
      const [, hex = '', size, uid, gid] = matched(`of ${plain(path, 40)}`, text, form)
      const mode = Number.parseInt(hex, 16)
      const [sha256, hash] = [hashes.get(path), left.get(path)]
      const found: TargetPath = {
        kind: kindOf(mode),
        sizeBytes: Number(size),
        mode: mode & 0o7777,
        uid: Number(uid),
        gid: Number(gid),
        ...(sha256 === undefined ? {} : { sha256 }),
        ...(hash === undefined ? {} : { left: hash }),
      }
      return [path, found]
    }),
  )
}

/** Lines `TABLE ADDRESS:PORT`. */
function portIn(line: string): PortInUse {
  const form = /^((?:tcp|udp|udplite)6?) ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/
  const [, table = '', address = '', port = ''] = matched('a port', line, form)
  return { table, address, port: Number.parseInt(port, 16) }
}

/** The number that was asked about, `=` and the name it has there, `=` and the number that its name has there. */
function userOf([uid, name = '', number = '']: readonly string[]): TargetUser {
  const [, nameThere = ''] = matched('a user', name, /^=([^]*)$/)
  const [, uidThere = ''] = matched('a user', number, /^=(\d*)$/)
  return {
    uid: numberIn('a uid', uid),
    ...(nameThere === '' ? {} : { nameThere }),
    ...(uidThere === '' ? {} : { uidThere: Number(uidThere) }),
  }
}
