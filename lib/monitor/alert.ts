import type { Trit } from '../model/trit.ts'

/** What an alert has told last, and how many runs in a row have said the opposite since. */
export type AlertState = { told: AlertEvent; runs: number }

/** `unmeasured`: so many runs in a row were not well, and the last one got no measurement. */
export type AlertEvent = 'overloaded' | 'unmeasured' | 'recovered'

/** Of an alert that has told nothing yet. */
export const CALM: AlertState = { told: 'recovered', runs: 0 }

/**
 * The state after one more run. Any run that agrees with what was told last begins the count anew, so that a load
 * about a bound is not told at every turn.
 *
 * @param trit undefined where there was no measurement, as on a machine that is too busy to give one in time
 */
export function counted({ told, runs }: AlertState, trit: Trit | undefined): AlertState {
  const well = trit !== undefined && trit !== 1
  return { told, runs: well === (told === 'recovered') ? 0 : runs + 1 }
}

/**
 * What is to be told now: after `forRuns` runs in a row with trit +1 or without a measurement, or as many with another
 * trit.
 *
 * @param trit of the last run
 */
export function due(
  { told, runs }: AlertState,
  forRuns: number,
  trit: Trit | undefined,
): AlertEvent | undefined {
  if (runs < forRuns) return undefined
  if (told !== 'recovered') return 'recovered'
  return trit === undefined ? 'unmeasured' : 'overloaded'
}

/** The state once that has been told. Until then the count stands, and the next run tells it if it still holds. */
export function afterTelling(event: AlertEvent): AlertState {
  return { told: event, runs: 0 }
}
