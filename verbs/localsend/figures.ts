// Numbers as the tools tell them: with the digits that were measured, because a model pays for each.

/** Throughput as networks are told it, and as the tools' `_bps` is meant: whole bits a second. */
export function bitsPerSecond(bytesPerSecond: number): number {
  return Math.round(bytesPerSecond * 8)
}

export function milliseconds(value: number): number {
  return Math.round(value * 100) / 100
}

/** A share of one, as loss and gap are. */
export function share(value: number): number {
  return Math.round(value * 10_000) / 10_000
}
