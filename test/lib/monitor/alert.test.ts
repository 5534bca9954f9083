import fc from 'fast-check'
import { expect, test } from 'vitest'
import { afterTelling, CALM, counted, due, type AlertState } from '../../../lib/monitor/alert.ts'
import type { Trit } from '../../../lib/model/trit.ts'

/** A letter a run: O, U and R where it tells, o, u and r where telling fails, - where there is nothing to tell. */
function play(trits: readonly (Trit | undefined)[], forRuns: number, fails: readonly boolean[] = []): string {
  let state: AlertState = CALM
  return trits
    .map((trit, index) => {
      state = counted(state, trit)
      const event = due(state, forRuns, trit)
      if (event === undefined) return '-'
      const letter = { overloaded: 'O', unmeasured: 'U', recovered: 'R' }[event]
      if (fails[index]) return letter.toLowerCase()
      state = afterTelling(event)
      return letter
    })
    .join('')
}

/** A question mark is a run without a measurement. */
const SIGNS: Record<string, Trit> = { '+': 1, '0': 0, '-': -1 }
const tritsOf = (text: string) => Array.from(text, (sign) => SIGNS[sign])

test.each([
  ['nothing is told while all is well', '00-0-', 3, '-----'],
  ['overload is told once, in the third run', '+++++++', 3, '--O----'],
  ['two runs are not enough', '++0++0++', 3, '--------'],
  ['recovery is told once, whatever the other trits are', '+++0-0000', 3, '--O--R---'],
  ['about a bound nothing is told', '+++0+00+0+00+', 3, '--O----------'],
  ['it begins anew after a recovery', '+++000+++', 3, '--O--R--O'],
  ['one run each', '+0+-', 1, 'OROR'],
  ['a machine that is too busy to be measured is told of', '0????00', 3, '---U---'],
  ['overload in which one run is not measured', '+?+?000', 3, '--O---R'],
  ['not measured is not recovered', '+++0?0?00?000', 3, '--O---------R'],
])('%s', (_, trits, forRuns, told) => {
  expect(play(tritsOf(trits), forRuns)).toBe(told)
})

test.each([
  ['the next run tries again', '+++++', [2, 3], '--ooO'],
  ['not when it no longer holds', '+++0+++', [2], '--o---O'],
  ['also a recovery', '+++00000', [5, 6], '--O--rrR'],
  ['overload that came back before its recovery was told is not told again', '+++000+++', [5], '--O--r---'],
])('when telling fails: %s', (_, trits, failing, told) => {
  const fails = Array.from(trits, (_sign, index) => failing.includes(index))
  expect(play(tritsOf(trits), 3, fails)).toBe(told)
})

test('overload and recovery are told by turns, each after N runs in a row that say so', () => {
  const trit = fc.constantFrom<(Trit | undefined)[]>(1, 0, -1, undefined)
  fc.assert(
    fc.property(
      fc.array(trit, { maxLength: 80 }),
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.boolean(), { maxLength: 80 }),
      (trits, forRuns, fails) => {
        const told = play(trits, forRuns, fails)
        expect(told.replaceAll(/[^OUR]/g, '')).toMatch(/^(?:[OU]R)*[OU]?$/)
        Array.from(told).forEach((letter, index) => {
          if (letter === '-') return
          const last = trits.slice(Math.max(0, index + 1 - forRuns), index + 1)
          expect(last).toHaveLength(forRuns)
          expect(new Set(last.map((value) => value === 1 || value === undefined))).toEqual(
            new Set([!['R', 'r'].includes(letter)]),
          )
        })
      },
    ),
  )
})
