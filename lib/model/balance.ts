import { byName } from './name-order.ts'
import type { Trit } from './trit.ts'

/** 1: migrate work from PLUS to MINUS nodes. 2: wake idle work on MINUS nodes. 3: nothing to do. */
export type Rule = 1 | 2 | 3

export type Loaded = {
  name: string
  ratio: number
  trit: Trit
  /** With `closed`, its owner wants no work to come there. */
  receiver?: { closed?: string }
}
export type Move = { from: string; to: string }
export type Balance = {
  /** Σ of the trits of the measured nodes. */
  sum: number
  /** Whether Σ ≡ 0 (mod 3). Not the same as rule 3: Σ = 3 holds it, and yet rule 1 applies. */
  invariantHolds: boolean
  rule: Rule
  /** Which pairs would exchange work under rule 1: the fullest PLUS node with the emptiest MINUS node, and so on. */
  moves: Move[]
}

/** In words, what each rule asks for. */
export const RULES: Record<Rule, string> = {
  1: 'migrate work from PLUS to MINUS nodes',
  2: 'wake idle work on MINUS nodes',
  3: 'balanced, nothing to do',
}

/** The state of a mesh, from its measured nodes in any order. */
export function balanceOf(nodes: readonly Loaded[]): Balance {
  const sum = nodes.reduce((total, { trit }) => total + trit, 0)
  const rule = sum > 0 ? 1 : sum < 0 ? 2 : 3
  return { sum, invariantHolds: remainderOf(sum) === 0, rule, moves: rule === 1 ? pairs(nodes) : [] }
}

/** What is left of Σ modulo 3, from 0 to 2 also where Σ is negative. The invariant holds where it is 0. */
export function remainderOf(sum: number): number {
  return ((sum % 3) + 3) % 3
}

/** Pairs of a PLUS and a MINUS node that is open, each node in one pair at most: fullest with emptiest. */
export function pairs(nodes: readonly Loaded[]): Move[] {
  const receivers = emptiestFirst(nodes).filter(
    ({ trit, receiver }) => trit === -1 && receiver?.closed === undefined,
  )
  const senders = fullestFirst(nodes).filter(({ trit }) => trit === 1)
  return senders.flatMap(({ name }, index) => {
    const receiver = receivers[index]
    return receiver ? [{ from: name, to: receiver.name }] : []
  })
}

/** The nodes with the most room first: by the ratio of load to CPUs, then by name. */
export function emptiestFirst<T extends { name: string; ratio: number }>(nodes: readonly T[]): T[] {
  return nodes.toSorted((a, b) => a.ratio - b.ratio || byName(a.name, b.name))
}

/** The nodes with the least room first: by the ratio, then by name too. */
export function fullestFirst<T extends { name: string; ratio: number }>(nodes: readonly T[]): T[] {
  return nodes.toSorted((a, b) => b.ratio - a.ratio || byName(a.name, b.name))
}
