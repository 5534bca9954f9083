import { expect, test } from 'vitest'
import { runPiped } from '../../../lib/base/piped-commands.ts'

test('when the second command ends early, the first one and all that it has started is ended', async () => {
  const began = performance.now()
  const from = { file: 'sh', args: ['-c', '(cat /dev/zero); echo over'] }
  const to = { file: 'sh', args: ['-c', 'head -c 10000 >/dev/null; echo enough; exit 3'] }
  const [first, second] = await runPiped(from, to, {
    timeoutMs: 20_000,
    signal: new AbortController().signal,
  })
  expect(first.exitCode).toBeUndefined()
  expect(second).toMatchObject({ exitCode: 3, stdout: 'enough\n' })
  expect(performance.now() - began).toBeLessThan(15_000)
})

test('when the second command has ended before all was sent, that is no success', async () => {
  const from = { file: 'sh', args: ['-c', 'head -c 2000000 /dev/zero'] }
  const to = { file: 'sh', args: ['-c', 'exec </dev/null; kill -9 $$'] }
  const ended = await runPiped(from, to, { timeoutMs: 20_000, signal: new AbortController().signal })
  expect(ended[1].exitCode).toBeUndefined()
})
