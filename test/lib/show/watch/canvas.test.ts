import { expect, test } from 'vitest'
import { Canvas } from '../../../../lib/show/watch/canvas.ts'

test('only lines that have changed are written, and nothing where none has', () => {
  const canvas = new Canvas()
  expect(canvas.draw(['a', 'b', 'c'])).toContain('\u001B[2J')
  expect(canvas.draw(['a', 'b', 'c'])).toBe('')
  expect(canvas.draw(['a', 'x', 'c'])).toBe('\u001B[2;1Hx\u001B[K')
  expect(canvas.draw(['a', 'x'])).toBe('\u001B[3;1H\u001B[K')
})

test('after a change of size all is written', () => {
  const canvas = new Canvas()
  canvas.draw(['a', 'b'])
  canvas.forget()
  expect(canvas.draw(['a', 'b'])).toBe('\u001B[0m\u001B[2J\u001B[1;1Ha\u001B[K\u001B[2;1Hb\u001B[K')
})

test('a terminal that can shows a frame all at once', () => {
  const canvas = new Canvas()
  canvas.synchronized = true
  canvas.draw(['a'])
  expect(canvas.draw(['b'])).toBe('\u001B[?2026h\u001B[1;1Hb\u001B[K\u001B[?2026l')
  expect(canvas.draw(['b'])).toBe('')
})
