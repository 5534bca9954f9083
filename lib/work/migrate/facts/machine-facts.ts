import { plain } from '../../../base/text.ts'
import type { FileKind, MachineFacts } from './facts.ts'
import { numberIn, type Sections } from './records.ts'

/** What machine.sh tells, at either end. */
export function machineFacts(sections: Sections): MachineFacts {
  sections.one('end', /^yes$/) // no script that was killed has come so far
  const machine = {
    arch: sections.one('arch', /^[A-Za-z0-9_-]{1,32}$/),
    kernel: sections.one('kernel', /^\d{1,4}\.\d{1,4}\S{0,100}$/),
    bootId: sections.one('boot', /^[0-9a-f-]{36}\.\d{1,20}$/),
    identity: sections.one('identity', /^[0-9a-f-]{36}\.\d{1,20}$/),
    memoryBytes: sections.number('memory'),
    diskBytes: sections.number('disk'),
  }
  if (!sections.has('criu')) return machine
  const [status, line = ''] = sections.items('check')
  const check = { ok: numberIn('status', status) === 0, line: plain(line, 160) }
  return { ...machine, criu: { version: plain(sections.one('criu', /^\d.*$/), 40), check } }
}

/** S_IFMT of stat(2). */
const KINDS: Readonly<Record<number, FileKind>> = {
  0o01: 'pipe',
  0o02: 'character',
  0o04: 'directory',
  0o06: 'block',
  0o10: 'file',
  0o14: 'socket',
}

/** What a mode, as stat(1) writes it in hexadecimal, is a mode of. */
export function kindOf(mode: number): FileKind {
  return KINDS[mode >> 12] ?? 'other'
}

/** Lines of `sha256sum --zero`, by path. */
export function hashesIn(items: readonly string[]): Map<string, string> {
  return new Map(
    items.flatMap((item) => {
      const match = /^([0-9a-f]{64}) [ *]([^]+)$/.exec(item)
      return match?.[1] !== undefined && match[2] !== undefined ? [[match[2], match[1]] as const] : []
    }),
  )
}
