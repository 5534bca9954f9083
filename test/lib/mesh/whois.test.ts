import { expect, test } from 'vitest'
import { parseWhoIs, sameOwner } from '../../../lib/mesh/whois.ts'

const answer = (node: object, profile: unknown = { ID: 7, LoginName: 'operator@example.invalid' }) =>
  JSON.stringify({ Node: { Name: 'n2.ts.test.', ComputedName: 'n2', ...node }, UserProfile: profile })

test('who a machine belongs to is its user, unless it is tagged', () => {
  const n2 = { machine: 'n2', userId: 7, login: 'operator@example.invalid', tagged: false }
  expect(parseWhoIs(answer({ User: 7 }))).toEqual(n2)
  expect(parseWhoIs(answer({ User: 7, Tags: null }))).toEqual(n2)
  expect(parseWhoIs(answer({ User: 7, Tags: ['tag:server'] }))).toEqual({ ...n2, tagged: true })
  expect(parseWhoIs(answer({ User: 7 }, null))).toEqual({ ...n2, login: '' })
})

test.each([['peer not found'], ['{}'], ['{"Node":{}}'], ['{"Node":{"User":"7"}}'], ['null'], ['']])(
  'nobody is known by %j',
  (output) => {
    expect(parseWhoIs(output)).toBeUndefined()
  },
)

test('what another machine is called is one line without escape codes', () => {
  const named = parseWhoIs(answer({ User: 7, ComputedName: 'n\u001B[31m2\nx' }))
  expect(named?.machine).toBe('n2 x')
})

test('only machines of the same user, and of a user at all, have the same owner', () => {
  const of = (userId: number, tagged = false) => ({ machine: 'n', userId, login: '', tagged })
  expect(sameOwner(of(7), of(7))).toBe(true)
  expect(sameOwner(of(7), of(8))).toBe(false)
  expect(sameOwner(of(7), of(7, true))).toBe(false)
  expect(sameOwner(of(7, true), of(7, true))).toBe(false)
  expect(sameOwner(of(0), of(0))).toBe(false)
})
