import { z } from 'zod'
import type { Verb } from '../verb.ts'

/** A verb whose result `--json` prints. */
export type Documented = Verb & { recipe: string }

/** Documents of one kind never change the meaning of a name, nor lose one, within a version. */
export const DOCUMENTS_VERSION = 1

export function documented(verbs: readonly Verb[]): Documented[] {
  return verbs.filter((verb): verb is Documented => verb.recipe !== undefined)
}

/** Name of the file in `docs/json-schema/` that describes what a recipe prints. */
export function schemaFileOf({ name }: Verb): string {
  return `v${DOCUMENTS_VERSION}/${name.replaceAll('_', '-')}.json`
}

/** What a recipe prints with `--json`, as JSON Schema (2020-12). */
export function schemaOf({ recipe, title, result, lines }: Documented): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(lines ?? result, { io: 'output' })
  return { $schema, title: `just ${recipe} --json`, description: title, ...rest }
}

const MOST_KEYS = 9

/**
 * The keys of a document, as the README shows them: with a question mark where one may be absent; of a union of many those
 * that all its members have.
 */
export function keysOf(schema: Record<string, unknown>): string {
  const members: unknown = schema['anyOf'] ?? schema['oneOf']
  if (!Array.isArray(members)) return listed(ownKeysOf(schema))
  const [first = [], ...others] = members.map((member) => ownKeysOf(Object(member)))
  if (others.length === 1) return [first, ...others].map((keys) => listed(keys)).join(' or ')
  return listed([...first.filter((key) => others.every((keys) => keys.includes(key))), '…'])
}

function ownKeysOf(schema: Record<string, unknown>): string[] {
  const required: unknown = schema['required']
  const properties: Record<string, unknown> = Object(schema['properties'])
  return Object.keys(properties).map((key) =>
    Array.isArray(required) && required.includes(key) ? key : `${key}?`,
  )
}

function listed(keys: readonly string[]): string {
  const some = keys.length > MOST_KEYS ? [...keys.slice(0, MOST_KEYS - 1), '…'] : keys
  return `\`{ ${some.join(', ')} }\``
}
