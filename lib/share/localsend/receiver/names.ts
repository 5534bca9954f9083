/** What begins like this is the receiver's own: a file of it is never somebody else's. */
export const OWN_PREFIX = '.resource-sharing-'

const MAX_SEGMENT_BYTES = 255
const MAX_PATH_BYTES = 2000
const MAX_SEGMENTS = 32
const MAX_ENDING_BYTES = 32
/** Names that Windows keeps for devices, whatever their ending. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i

/**
 * A name that came from elsewhere as folders and a file name that stay inside a folder: never `.` or `..`, no slash
 * of either kind, no control characters, at most 255 bytes each. Everything else is kept byte for byte.
 *
 * @returns at least one segment
 */
export function safeSegments(fileName: string): string[] {
  // A lone surrogate has no bytes of its own; written as UTF-8 it would be another name than the one that is checked.
  const text = Buffer.from(fileName, 'utf8').toString('utf8')
  const parts = text.split(/[/\\]/)
  if (parts.length > 1 && /^[A-Za-z]:$/.test(parts[0] ?? '')) parts.shift()
  const segments = parts.filter((part) => part !== '' && part !== '.' && part !== '..').map(safeSegment)
  const kept = segments.slice(-MAX_SEGMENTS)
  while (kept.length > 1 && Buffer.byteLength(kept.join('/')) > MAX_PATH_BYTES) kept.shift()
  return kept.length === 0 ? ['unnamed'] : kept
}

function safeSegment(part: string): string {
  const printable = part.replaceAll(/[\u0000-\u001F\u007F-\u009F]/g, '_')
  const reserved = DEVICE.test(printable) || printable.toLowerCase().startsWith(OWN_PREFIX)
  return shortened(reserved ? `_${printable}` : printable, MAX_SEGMENT_BYTES)
}

/** The name for the case that all before it are taken: `x (1).txt`. */
export function numbered(segment: string, count: number): string {
  if (count === 0) return segment
  const mark = ` (${count})`
  const { stem, ending } = split(segment)
  return shortened(stem, MAX_SEGMENT_BYTES - Buffer.byteLength(mark + ending)) + mark + ending
}

/** Cut between characters; the ending, by which others know what it is, stays. */
function shortened(segment: string, maxBytes: number): string {
  if (Buffer.byteLength(segment) <= maxBytes) return segment
  const { stem, ending } = split(segment)
  let short = ''
  let left = maxBytes - Buffer.byteLength(ending)
  for (const character of stem) {
    left -= Buffer.byteLength(character)
    if (left < 0) break
    short += character
  }
  return short + ending
}

function split(segment: string): { stem: string; ending: string } {
  const dot = segment.lastIndexOf('.')
  const ending = dot > 0 ? segment.slice(dot) : ''
  return Buffer.byteLength(ending) > MAX_ENDING_BYTES
    ? { stem: segment, ending: '' }
    : { stem: segment.slice(0, segment.length - ending.length), ending }
}
