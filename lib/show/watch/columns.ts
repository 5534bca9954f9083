export type Column = { key: string; head: string; width: number; right?: true }

/**
 * Columns that have room side by side, with a blank between two.
 *
 * @param wanted the most important first: one that has no room any more is left out
 * @param grows who gets what is left, in turn, each up to a width
 * @param order in which they stand, by their keys
 */
export function columnsThatFit(
  wanted: readonly Column[],
  width: number,
  grows: readonly (readonly [key: string, most: number])[],
  order: readonly string[],
): Column[] {
  const taken: Column[] = []
  let left = width
  for (const column of wanted) {
    const need = column.width + (taken.length > 0 ? 1 : 0)
    if (need > left) continue
    taken.push({ ...column })
    left -= need
  }
  for (const [key, most] of grows) {
    const column = taken.find((each) => each.key === key)
    if (!column) continue
    const more = Math.max(0, Math.min(left, most - column.width))
    column.width += more
    left -= more
  }
  return taken.toSorted((a, b) => order.indexOf(a.key) - order.indexOf(b.key))
}
