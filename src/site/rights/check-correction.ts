import { parseInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import type { FieldProblem } from '../../kernel/faults.ts'
import { isScalarType, keyColumnsOf } from '../../protocol/data-set.ts'
import type { Column, Manifest } from '../../protocol/data-set.ts'
import { endedColumns } from '../../protocol/retention.ts'
import type { ColumnValues } from '../../protocol/restriction.ts'
import { isSealed } from '../vault/stored-columns.ts'
import { storedText } from '../vault/stored-json.ts'

/**
 * Refuses a correction that does not fit the manifest, naming each column. The key that names the person is no value
 * to correct: another key is another person.
 *
 * @throws Fault `fault.request_malformed`
 */
export function checkCorrection(
  manifest: Manifest,
  { set, where, now }: { set: ColumnValues; where: ColumnValues; now: Instant },
): void {
  const problems: FieldProblem[] = []
  const keys = keyColumnsOf(manifest)
  const ended = endedColumns(manifest, now)
  if (Object.keys(set).length === 0) problems.push({ field: 'set', expected: 'expected at least one column' })
  for (const [name, value] of Object.entries(set)) {
    const column = manifest.columns.find((known) => known.name === name)
    const field = `set.${name}`
    if (!column || keys.includes(name))
      problems.push({ field, expected: 'expected a column of the data set that is no person’s key' })
    else if (ended.includes(name))
      problems.push({
        field,
        expected: 'expected a column that is still kept; the retention of this one has ended',
      })
    else if (value === null && column.isRequired)
      problems.push({ field, expected: 'expected a value; the column may not be empty' })
    else if (!isOfType(value, column)) problems.push({ field, expected: expectedOf(column) })
  }
  for (const [name, value] of Object.entries(where)) {
    const column = manifest.columns.find((known) => known.name === name)
    const field = `where.${name}`
    if (!column || keys.includes(name) || isSealed(column) || ended.includes(name))
      problems.push({ field, expected: 'expected a column of the data set that is not sealed' })
    else if (!isScalarType(column.type))
      problems.push({ field, expected: 'expected a column of single values' })
    else if (!isOfType(value, column)) problems.push({ field, expected: expectedOf(column) })
  }
  if (problems.length === 0) return
  throw new Fault('fault.request_malformed', {
    what: 'Cannot correct: some columns or values are not those of the data set',
    errors: problems,
  })
}

function isOfType(value: ColumnValues[string] | undefined, { type, values }: Column): boolean {
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

function expectedOf({ type, values }: Column): string {
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
