/** Why a process can't move, found before anything is touched. */
export type Refusal = {
  /** For programs and tests; what is refused has one name. */
  code: string
  /** For a person: what is the matter. */
  sentence: string
  /** For a person: what would help. */
  advice?: string
  at: 'source' | 'target'
}

/** Facts, or why there are none. */
export type Gathered<Facts> = { known: true; facts: Facts } | { known: false; refusal: Refusal }
