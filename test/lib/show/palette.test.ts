import { expect, test } from 'vitest'
import { palette } from '../../../lib/show/palette.ts'

const terminal = { isTTY: true as const, getColorDepth: () => 8 }

test.each([
  ['a terminal', terminal, {}, 2],
  ['a pipe', {}, {}, 0],
  ['a terminal with NO_COLOR', terminal, { NO_COLOR: '1' }, 0],
  ['a terminal with an empty NO_COLOR', terminal, { NO_COLOR: '' }, 2],
  ['a dumb terminal', terminal, { TERM: 'dumb' }, 0],
  ['a pipe with FORCE_COLOR', {}, { FORCE_COLOR: '1' }, 1],
  ['a pipe with an empty FORCE_COLOR', {}, { FORCE_COLOR: '' }, 1],
  ['a terminal with FORCE_COLOR=0', terminal, { FORCE_COLOR: '0' }, 0],
  ['a pipe with both', {}, { FORCE_COLOR: '3', NO_COLOR: '1' }, 3],
])('%s has colours of level %d', (_, stream, env, level) => {
  expect(palette(stream, env).level).toBe(level)
})
