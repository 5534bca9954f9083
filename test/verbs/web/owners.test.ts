import { expect, test } from 'vitest'
import { remembering } from '../../../verbs/web/owners.ts'

const OWNER = { machine: 'n2', userId: 1, login: 'operator', tagged: false }

test('an address is asked for once a minute, one that nobody knows a little more often', async () => {
  let nowMs = 0
  const asked: string[] = []
  const ask = async (address: string) => {
    asked.push(address)
    return address === 'known' ? OWNER : undefined
  }
  const whoIs = remembering(ask, () => nowMs)
  const both = async () => [await whoIs('known'), await whoIs('unknown')]
  expect(await both()).toEqual([OWNER, undefined])
  expect(await both()).toEqual([OWNER, undefined])
  expect(asked).toEqual(['known', 'unknown'])
  nowMs = 5000
  await both()
  expect(asked).toEqual(['known', 'unknown', 'unknown'])
  nowMs = 61_000
  await both()
  expect(asked.filter((address) => address === 'known')).toHaveLength(2)
})

test('many that ask at the same time start one question, and ten thousand addresses are not all kept', async () => {
  let asked = 0
  const whoIs = remembering(
    async () => {
      asked += 1
      return OWNER
    },
    () => 0,
  )
  await Promise.all(Array.from({ length: 50 }, () => whoIs('100.64.0.2')))
  expect(asked).toBe(1)
  for (let index = 0; index < 1100; index += 1) await whoIs(`address ${index}`)
  expect(asked).toBe(1101)
  await whoIs('100.64.0.2')
  expect(asked).toBe(1102)
})
