import { z } from 'zod'

type Json = Record<string, unknown>

const Properties = z.record(z.string(), z.json())
const Required = z.array(z.string())
type ObjectSchema = {
  type: 'object'
  properties: z.output<typeof Properties>
  required?: z.output<typeof Required>
}

/** The schema of what a tool takes, as a client and its model read it. */
export function inputSchemaOf(schema: z.ZodObject): ObjectSchema {
  const { properties, required } = compact(z.toJSONSchema(schema, { io: 'input' }))
  return {
    type: 'object',
    properties: Properties.parse(properties),
    ...(required === undefined ? {} : { required: Required.parse(required) }),
  }
}

/**
 * The schema of what a tool gives, to the first level: every tool's schema is read by the model each time, in tokens, and
 * what lies deeper it sees in the result.
 */
export function outlineOf(schema: z.ZodType): ObjectSchema {
  const properties = propertiesOf(z.toJSONSchema(schema, { io: 'output' }))
  const outlined = Object.entries(properties).map(([name, property]) => [name, typeOf(property)])
  return { type: 'object', properties: Properties.parse(Object.fromEntries(outlined)) }
}

/** Of a union those of all its members. */
function propertiesOf(schema: Json): Json {
  if (isJson(schema['properties'])) return schema['properties']
  const members = schema['anyOf'] ?? schema['oneOf']
  const all = Array.isArray(members) ? members.filter(isJson).map((member) => propertiesOf(member)) : []
  return all.reduce((merged, each) => ({ ...merged, ...each }), {})
}

function typeOf(property: unknown): Json {
  return isJson(property) && typeof property['type'] === 'string' ? { type: property['type'] } : {}
}

/** What a model does without: a call that does not keep to it is told in words. */
const LEFT_OUT = ['$schema', 'additionalProperties', 'minimum', 'maximum', 'minItems']

function compact(schema: Json): Json {
  const kept = Object.entries(schema).filter(([key]) => !LEFT_OUT.includes(key))
  return Object.fromEntries(
    kept.map(([key, value]) => {
      if (Array.isArray(value)) return [key, value.map((each) => (isJson(each) ? compact(each) : each))]
      return [key, isJson(value) ? compact(value) : value]
    }),
  )
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
