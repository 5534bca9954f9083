import { plain } from '../../../base/text.ts'

/** What a machine printed is not the facts that it was asked for: cut short, garbled, or something else. */
export class BadFacts extends Error {
  override name = 'BadFacts'
}

/** The sections of an answer: a name, items that are not empty, and an empty record, each ended by NUL. */
export class Sections {
  readonly #items = new Map<string, string[]>()

  /** @throws BadFacts when a section is there twice or has no end */
  constructor(output: string) {
    const records = output.split('\0')
    if (records.pop()?.trim() !== '') throw new BadFacts('the facts are cut short')
    let items: string[] | undefined
    for (const record of records) {
      if (record === '') items = undefined
      else if (items) items.push(record)
      else this.#items.set(record, (items = this.#new(record)))
    }
    if (items) throw new BadFacts('the facts are cut short')
  }

  #new(name: string): string[] {
    if (!/^[a-z]{1,20}$/.test(name)) throw new BadFacts(`no name of facts: ${plain(name, 20)}`)
    if (this.#items.has(name)) throw new BadFacts(`two times ${name}`)
    return []
  }

  has(name: string): boolean {
    return this.#items.has(name)
  }

  /** @throws BadFacts when there is no such section */
  items(name: string): string[] {
    const items = this.#items.get(name)
    if (!items) throw new BadFacts(`nothing of ${name}`)
    return items
  }

  /** The items of a section, so many at a time. */
  groups(name: string, size: number): string[][] {
    const items = this.items(name)
    if (items.length % size !== 0) throw new BadFacts(`half an item of ${name}`)
    return Array.from({ length: items.length / size }, (_, index) =>
      items.slice(index * size, (index + 1) * size),
    )
  }

  /** The lines of a section that is one text; none where it is not there. */
  lines(name: string): string[] {
    return (this.#items.get(name)?.[0] ?? '').split('\n').filter((line) => line !== '')
  }

  /** The only item of a section, in this form. */
  one(name: string, form: RegExp): string {
    const [item = '', more] = this.items(name)
    return matched(name, more === undefined ? item : '', form)[0]
  }

  numbers(name: string): number[] {
    return this.items(name).map((item) => numberIn(name, item))
  }

  number(name: string): number {
    return numberIn(name, this.one(name, /^\d+$/))
  }
}

/** @throws BadFacts when the text has not this form */
export function matched(name: string, text: string, form: RegExp): RegExpExecArray {
  const match = form.exec(text)
  if (match === null) throw new BadFacts(`not ${name}: ${plain(text, 40) || 'nothing'}`)
  return match
}

/** @throws BadFacts when the text is no whole number that this language holds exactly */
export function numberIn(name: string, text: string | undefined): number {
  const value = Number(matched(name, text ?? '', /^\d{1,16}$/)[0])
  if (!Number.isSafeInteger(value)) throw new BadFacts(`not ${name}: ${plain(text ?? '', 40)}`)
  return value
}
