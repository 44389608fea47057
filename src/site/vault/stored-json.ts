import { LIMITS } from '../../kernel/limits.ts'
import { parseLastOfEach } from '../../kernel/parse-json.ts'
import { elementType } from '../../protocol/data-set.ts'
import type { ListType } from '../../protocol/data-set.ts'

/** A JSON document or a list, as the vault keeps it (`storedJson`, `storedList`). */
export function storedText(text: string, type: 'json' | ListType): string | undefined {
  return type === 'json' ? storedJson(text) : storedList(text, type)
}

/**
 * A JSON document as the vault keeps it, a text: no spaces, members by their names' code units with of equal names the last,
 * numbers as the shortest text of their double. Every engine reads the same out of this form, and what it
 * takes out of it is of the same form again. `undefined` where the text is no JSON, or holds what an engine cannot.
 */
export function storedJson(text: string): string | undefined {
  if (Buffer.byteLength(text) > LIMITS.jsonDocumentBytesMax) return undefined
  const value = parseLastOfEach(text)
  return value === undefined ? undefined : written(value, 1)
}

/** The same for a list of single values of a type, none of them null. */
function storedList(text: string, type: ListType): string | undefined {
  if (Buffer.byteLength(text) > LIMITS.jsonDocumentBytesMax) return undefined
  const values = parseLastOfEach(text)
  if (!Array.isArray(values) || values.length > LIMITS.listItemsMax) return undefined
  return values.every((value: unknown) => isElement(value, type)) ? written(values, 1) : undefined
}

function isElement(value: unknown, type: ListType): boolean {
  switch (elementType(type)) {
    case 'boolean':
      return typeof value === 'boolean'
    case 'integer':
      return Number.isSafeInteger(value)
    case 'number':
      return typeof value === 'number'
    case 'text':
      return typeof value === 'string'
    case undefined:
      return false
  }
}

function written(value: unknown, depth: number): string | undefined {
  if (depth > LIMITS.jsonDepthMax) return undefined
  if (typeof value === 'string') return writtenText(value)
  if (typeof value === 'number') return writtenNumber(value)
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) {
    const items = value.map((item) => written(item, depth + 1))
    return items.includes(undefined) ? undefined : `[${items.join(',')}]`
  }
  const members = Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => {
      const [key, text] = [writtenText(name), written(member, depth + 1)]
      return key === undefined || text === undefined ? undefined : `${key}:${text}`
    })
  return members.includes(undefined) ? undefined : `{${members.join(',')}}`
}

/** PostgreSQL has no text with a NUL, and neither engine one with half of a surrogate pair. */
function writtenText(text: string): string | undefined {
  if (text.includes('\0') || !text.isWellFormed()) return undefined
  return JSON.stringify(text).replaceAll(
    /\\u00[0-9a-f]{2}/g,
    (escape) => `\\u${escape.slice(2).toUpperCase()}`,
  )
}

const NUMBER_MAX = 1e150
const NUMBER_LEAST = 1e-287

/** Within the domain of numbers in a question (`forms.ts` of the gate); what is nearer to 0 is 0. */
function writtenNumber(value: number): string | undefined {
  if (!(Math.abs(value) < NUMBER_MAX)) return undefined
  return Math.abs(value) < NUMBER_LEAST ? '0' : String(value).replace('e+', 'e')
}
