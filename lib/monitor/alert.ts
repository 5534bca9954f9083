import type { Trit } from '../trit.ts'

/** What an alert has told last, and how many runs in a row have said the opposite since. */
export type AlertState = { told: AlertEvent; runs: number }

export type AlertEvent = 'overloaded' | 'recovered'

/** Of an alert that has told nothing yet. */
export const CALM: AlertState = { told: 'recovered', runs: 0 }

/**
 * The state after one more run. Any run that agrees with what was told last begins the count anew, so that a load
 * about a bound is not told at every turn.
 */
export function counted({ told, runs }: AlertState, trit: Trit): AlertState {
  const overloaded = trit === 1
  return { told, runs: overloaded === (told === 'overloaded') ? 0 : runs + 1 }
}

/** What is to be told now: after `forRuns` runs in a row with trit +1, or as many with another one. */
export function due({ told, runs }: AlertState, forRuns: number): AlertEvent | undefined {
  if (runs < forRuns) return undefined
  return told === 'overloaded' ? 'recovered' : 'overloaded'
}

/** The state once that has been told. Until then the count stands, and the next run tells it if it still holds. */
export function afterTelling(event: AlertEvent): AlertState {
  return { told: event, runs: 0 }
}
