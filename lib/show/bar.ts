/** A ratio as a bar that is full at 1. */
export function bar(ratio: number, cells: number): string {
  const full = Math.round(Math.min(1, Math.max(0, ratio)) * cells)
  return '█'.repeat(full) + '░'.repeat(cells - full)
}
