import { csvLine } from '../../kernel/csv-line.ts'
import type { CsvPart } from '../http/person-api.ts'
import type { ExportKind, ExportRecord } from './person-export.ts'

/** Which records make up a table. */
export const CSV_KINDS: Readonly<Record<CsvPart, ExportKind>> = {
  rows: 'row',
  grants: 'grant',
  uses: 'use',
  accesses: 'access',
}

const COLUMNS: Readonly<Record<Exclude<CsvPart, 'rows'>, readonly string[]>> = {
  grants: [
    'site',
    'grant',
    'dataSet',
    'grantee',
    'purposes',
    'modes',
    'columns',
    'isExplicit',
    'givenBy',
    'minimumPriceMinor',
    'validFrom',
    'validUntil',
    'givenAt',
    'enteredBy',
    'guardianship',
    'receipt',
    'revokedAt',
    'revokedBy',
    'revocationReceipt',
  ],
  uses: [
    'site',
    'time',
    'acquirer',
    'purpose',
    'mode',
    'dataSet',
    'columns',
    'reason',
    'legalBasis',
    'bases',
    'releaseTo',
    'ask',
    'question',
    'pseudonym',
    'earned',
    'receipt',
  ],
  accesses: ['site', 'time', 'by', 'what', 'reason', 'receipt'],
}

/**
 * Records of one kind as CSV, some lines at a time, the head first. Rows must be of one data set. Lists are
 * separated by semicolons, amounts are `120 EUR` in minor units, what is empty is nothing.
 */
export function csvWriter(part: CsvPart): (records: readonly ExportRecord[]) => string {
  let columns = part === 'rows' ? undefined : COLUMNS[part]
  let head = columns && csvLine(columns)
  return (records) => {
    const lines = records.map((record) => {
      const values: Readonly<Record<string, unknown>> = record.kind === 'row' ? record.values : { ...record }
      if (!columns) {
        columns = Object.keys(values)
        head = csvLine(columns)
      }
      return csvLine(columns.map((name) => cellText(values[name])))
    })
    const text = `${head ?? ''}${lines.join('')}`
    head = undefined
    return text
  }
}

/** A value of a record as one text. */
export function cellText(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return value.map(cellText).join(';')
  const fields = Object.entries(value)
  const named = new Map(fields)
  if (named.has('amount')) return `${cellText(named.get('amount'))} ${cellText(named.get('currency'))}`
  return fields.map(([name, inner]) => (inner === true ? name : `${name}:${cellText(inner)}`)).join(';')
}
