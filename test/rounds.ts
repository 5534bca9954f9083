/**
 * How often a test repeats what it proves. `just test` takes the short sample; `just soak` sets SOAK_ROUNDS and runs
 * that one test, for confidence.
 *
 * @throws RangeError when SOAK_ROUNDS is not a whole number from 1
 */
export function rounds(sample: number): number {
  const text = process.env['SOAK_ROUNDS']
  if (text === undefined || text === '') return sample
  const count = Number(text)
  if (!Number.isSafeInteger(count) || count < 1)
    throw new RangeError(`SOAK_ROUNDS must be a whole number from 1, not "${text}"`)
  return count
}
