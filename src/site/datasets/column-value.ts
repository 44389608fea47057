import { parseInstant } from '../../kernel/clock.ts'
import type { Column } from '../../protocol/data-set.ts'
import type { ColumnValues } from '../../protocol/rights/restriction.ts'
import { storedText } from '../vault/stored-json.ts'

/** Whether a value as JSON has it is one of a column: of its type, and of its values where they are listed. Nothing is one of each. */
export function isOfColumn(value: ColumnValues[string] | undefined, { type, values }: Column): boolean {
  if (value === null || value === undefined) return true
  switch (type) {
    case 'boolean':
      return typeof value === 'boolean'
    case 'integer':
      return Number.isSafeInteger(value)
    case 'number':
      return typeof value === 'number' && Number.isFinite(value)
    case 'text':
      return typeof value === 'string' && (values?.includes(value) ?? true)
    case 'date':
      return typeof value === 'string' && isDate(value)
    case 'timestamp':
      return typeof value === 'string' && parseInstant(value) !== undefined
    case 'json':
    case 'boolean[]':
    case 'integer[]':
    case 'number[]':
    case 'text[]':
      return typeof value === 'string' && storedText(value, type) !== undefined
  }
}

function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && parseInstant(`${text}T00:00:00Z`) !== undefined
}

/** What a value should have been. */
export function expectedValue({ type, values }: Column): string {
  const kinds = {
    boolean: 'true or false',
    integer: 'a whole number',
    number: 'a finite number',
    text: values ? 'one of the values in the manifest' : 'a text',
    date: 'a date such as 2026-01-31',
    timestamp: 'a time such as 2026-01-31T12:00:00Z',
    json: 'a JSON document as a text',
    'boolean[]': 'a list as a text, such as [true, false]',
    'integer[]': 'a list as a text, such as [1, 2]',
    'number[]': 'a list as a text, such as [1.5, 2]',
    'text[]': 'a list as a text, such as ["a", "b"]',
  }
  return `expected ${kinds[type]}`
}
