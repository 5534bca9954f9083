import { expect, test } from 'vitest'
import { Mailbox } from '../../../../lib/mesh/observer/mailbox.ts'

test('what a slow reader has not taken is added up: no more than the names', async () => {
  const box = new Mailbox()
  for (let round = 0; round < 1000; round += 1) ['n1', 'n2'].forEach((name) => box.changed(name))
  box.gone('n2')
  box.mesh()
  expect(await box.take()).toEqual({ changed: new Set(['n1']), gone: new Set(['n2']), mesh: true })
})

test('who waits hears of the next change, and of the end', async () => {
  const box = new Mailbox()
  const first = box.take()
  box.changed('n1')
  expect((await first)?.changed).toEqual(new Set(['n1']))
  const second = box.take()
  box.end()
  expect(await second).toBeUndefined()
})

test('one that has left and come again has come', async () => {
  const box = new Mailbox()
  box.gone('n1')
  box.changed('n1')
  expect(await box.take()).toEqual({ changed: new Set(['n1']), gone: new Set(), mesh: false })
})
