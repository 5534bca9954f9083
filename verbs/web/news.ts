/** A row of a table: what is written, drawn and linked in it, by the names that its template has for these. */
export type Row = { key: string; level: string } & Cells
type Cells = Record<string, string | number>

/** What a page shows, besides what stays as it is. All of it is text or numbers: nothing in it is markup. */
export type Content = {
  /** By the ID of an element, what it says. */
  texts: Record<string, string>
  /** By the ID of a list, what its items say. */
  lists: Record<string, readonly string[]>
  /** By the ID of a table's body: its rows, and the keys in each order that people can choose. */
  tables: Record<string, { rows: readonly Row[]; orders: Readonly<Record<string, readonly string[]>> }>
}

/** What a page is told that a browser shows already: less than a content, and of each row what is not as it was. */
type Change = Partial<Pick<Content, 'texts' | 'lists'>> & {
  tables?: Record<string, { rows: ({ key: string } & Cells)[]; orders?: Content['tables'][string]['orders'] }>
}

/** What makes the content of `before` that of `now`; undefined where they are alike. */
export function changeOf(before: Content, now: Content): Change | undefined {
  const change: Change = {}
  const texts = differing(before.texts, now.texts)
  if (texts) change.texts = texts
  const lists = differing(before.lists, now.lists)
  if (lists) change.lists = lists
  for (const [id, { rows, orders }] of Object.entries(now.tables)) {
    const old = before.tables[id]
    const known = new Map(old?.rows.map((row) => [row.key, row]))
    const changed = rows.flatMap((row) => rowChange(known.get(row.key), row) ?? [])
    const moved = JSON.stringify(old?.orders) !== JSON.stringify(orders)
    if (changed.length > 0 || moved)
      change.tables = { ...change.tables, [id]: { rows: changed, ...(moved ? { orders } : {}) } }
  }
  return Object.keys(change).length === 0 ? undefined : change
}

/** A row that is new is told whole. */
function rowChange(before: Row | undefined, now: Row): ({ key: string } & Cells) | undefined {
  if (before === undefined) return now
  const cells = Object.entries(now).filter(([name, value]) => before[name] !== value)
  return cells.length === 0 ? undefined : { ...Object.fromEntries(cells), key: now.key }
}

function differing<T>(before: Record<string, T>, now: Record<string, T>): Record<string, T> | undefined {
  const entries = Object.entries(now).filter(
    ([id, value]) => JSON.stringify(before[id]) !== JSON.stringify(value),
  )
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}
