/** What the pages read of a schema in an OpenAPI 3.1 document. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly format?: string
  readonly description?: string
  readonly default?: unknown
  readonly additionalProperties?: Schema | boolean
}

/** How a page writes code and names of messages. */
export interface TypeStyle {
  code(text: string): string
  message(name: string): string
  /** The long list of codes of reasons and faults. */
  readonly codes: string
}

/** A type in a few words; nested objects with the names of their fields. */
export function typeWords(schema: Schema, style: TypeStyle, depth = 0): string {
  if (schema.$ref !== undefined) return style.message(schema.$ref.split('/').at(-1) ?? '')
  if (schema.const !== undefined) return style.code(JSON.stringify(schema.const))
  if (schema.enum)
    return schema.enum.length > 20
      ? style.codes
      : schema.enum.map((value) => style.code(String(value))).join(', ')
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return choices.map((choice) => typeWords(choice, style, depth)).join(' or ')
  if (schema.allOf) return schema.allOf.map((part) => typeWords(part, style, depth)).join(' and ')
  if (schema.type === 'array') return `list of ${typeWords(schema.items ?? {}, style, depth)}`
  if (schema.properties) return objectWords(schema, style, depth)
  if (typeof schema.additionalProperties === 'object')
    return `map to ${typeWords(schema.additionalProperties, style, depth)}`
  if (schema.format === 'date-time') return 'time (RFC 3339)'
  return typeof schema.type === 'string'
    ? (TYPE_WORDS[schema.type] ?? schema.type)
    : (schema.type?.join(' or ') ?? 'any')
}

function objectWords({ properties = {}, required = [] }: Schema, style: TypeStyle, depth: number): string {
  if (depth > 1) return 'object'
  const fields = Object.entries(properties).map(
    ([name, field]) =>
      `${style.code(name)}${required.includes(name) ? '*' : ''} ${typeWords(field, style, depth + 1)}`,
  )
  return `{ ${fields.join(', ')} }`
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: 'true or false',
  object: 'object',
}
