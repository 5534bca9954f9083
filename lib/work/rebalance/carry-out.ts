import pMap from 'p-map'

/** How an action went. What was refused before anything was touched is skipped: the next run finds another way. */
export type Went = { outcome: 'done' | 'skipped' | 'failed' | 'in doubt'; detail: string }
export type Did<Action> = { action: Action } & (Went | { outcome: 'not begun'; detail: string })

/**
 * Carries actions out that do not depend on each other, some at the same time. After the first that fails, or is in
 * doubt, none is begun any more; what is under way comes to its end.
 *
 * @throws what `act` throws, when all that was begun has ended
 */
export async function carryOut<Action>(
  actions: readonly Action[],
  act: (action: Action) => Promise<Went>,
  { atOnce }: { atOnce: number },
): Promise<Did<Action>[]> {
  let failed: string | undefined
  const one = async (action: Action): Promise<Did<Action>> => {
    if (failed !== undefined) return { action, outcome: 'not begun', detail: failed }
    try {
      const went = await act(action)
      if (went.outcome === 'failed' || went.outcome === 'in doubt') failed ??= 'after what had failed'
      return { action, ...went }
    } catch (error) {
      failed ??= 'after what had failed'
      throw error
    }
  }
  return await pMap(actions, one, { concurrency: atOnce, stopOnError: false }).catch((error: unknown) => {
    throw error instanceof AggregateError ? error.errors[0] : error
  })
}
