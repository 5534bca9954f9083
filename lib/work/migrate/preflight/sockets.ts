import type { OutsideHolder, SocketFacts, SourceFacts } from '../facts/facts.ts'
import type { Refusal } from '../facts/refusal.ts'
import { eachOf, shown, some, who } from './words.ts'

export function holderOf(source: SourceFacts, { inode }: SocketFacts): string {
  const task = source.tree.find(({ open }) => open.some(({ link }) => link === `socket:[${inode}]`))
  return task ? who(task) : 'it'
}

/** Unix sockets that another process holds too, whose peer is another process's, or whose peer nobody knows. */
export function unixSocketsOutside(source: SourceFacts): Refusal[] {
  const own = new Set(source.sockets.map(({ inode }) => inode))
  const refusals = source.sockets
    .filter(({ table }) => table === 'unix')
    .flatMap((socket): Refusal[] => {
      const { inode, peer, path: name } = socket
      const others = source.outside.filter((holder) => holder.inode === inode || holder.inode === peer)
      const holder = `${holderOf(source, socket)} has a unix socket${name === undefined ? '' : ` (${shown(name)})`}`
      const code = 'unix-socket-outside'
      if (others.length > 0)
        return [
          {
            code,
            sentence: `${holder} that leads to ${some(others.map((each) => who(each)))}`,
            at: 'source',
          },
        ]
      if (peer === undefined) {
        const advice = 'install iproute2, whose `ss` tells'
        return [{ code, sentence: `${holder}, and nobody can tell where it leads`, advice, at: 'source' }]
      }
      if (peer === '0' || own.has(peer)) return []
      return [{ code, sentence: `${holder} that leads to a process outside its tree`, at: 'source' }]
    })
  return refusals.slice(0, 1)
}

/** Pipes that another process holds too: restored without it, the process would die, or hang, without a word. */
export function pipesOutside(source: SourceFacts): Refusal[] {
  const pipes = eachOf(source, ({ open }) => open.filter(({ kind }) => kind === 'pipe'))
  for (const { task, thing: pipe } of pipes) {
    const holders = source.outside.filter((holder) => isAt(holder, pipe))
    if (holders.length === 0) continue
    const others = some(holders.map((holder) => who(holder)))
    const sentence = `${who(task)} has a pipe to ${others}, which would not move with it`
    const advice = `give it a file instead of a pipe, or move what starts both`
    return [{ code: 'pipe-outside', sentence, advice, at: 'source' }]
  }
  return []
}

/** A pipe without a name is known by its inode, one with a name by its device and inode. */
function isAt({ inode }: OutsideHolder, pipe: { link: string; identity: string }): boolean {
  return pipe.link === `pipe:[${inode}]` || (pipe.link.startsWith('/') && pipe.identity === inode)
}
