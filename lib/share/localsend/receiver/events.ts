/** What a receiver has to tell. Names and texts are the sender's own, and not plain. */
export type ReceiverEvent = {
  /** What the sender calls itself. */
  from: string
  address: string
} & (
  | { event: 'offered'; files: number; bytes: number }
  | { event: 'stored'; name: string; path: string; bytes: number; sha256: string }
  | { event: 'failed'; name: string; reason: string }
  /** The session is over: `missing` files of it did not arrive. */
  | { event: 'over'; stored: number; missing: number }
  | { event: 'message'; text: string }
  | { event: 'refused'; status: number; reason: string }
)
