import { csvLine } from '../../kernel/csv-line.ts'
import type { CsvPart } from '../http/person-api.ts'
import { exportRecordSchema } from './person-export.ts'
import type { ExportKind, ExportRecord } from './person-export.ts'

/** Which records make up a table: every kind there is has one. */
export const CSV_KINDS: Readonly<Record<CsvPart, ExportKind>> = {
  about: 'export',
  dataSets: 'dataSet',
  identities: 'identity',
  principals: 'principal',
  rows: 'row',
  guardianships: 'guardianship',
  ageEvidence: 'ageEvidence',
  moves: 'move',
  grants: 'grant',
  refusals: 'refusal',
  objections: 'objection',
  bases: 'basis',
  requests: 'request',
  uses: 'use',
  accesses: 'access',
}

/** Every field that a record of a kind may have, in the order in which the schema names them. */
function columnsOf(part: Exclude<CsvPart, 'rows'>): readonly string[] {
  const kind = CSV_KINDS[part]
  const schema = exportRecordSchema.options.find(({ shape }) => shape.kind.value === kind)
  return Object.keys(schema?.shape ?? {}).filter((name) => name !== 'kind')
}

/** Fields with documents inside, which stand in their cell as JSON. */
const DOCUMENTS: ReadonlySet<string> = new Set(['manifest', 'events'])

/**
 * Records of one kind as CSV, some lines at a time, the head first. Rows must be of one data set. Lists are
 * separated by semicolons, amounts are `120 EUR` in minor units, terms of a data set and what happened to a request are
 * JSON, what is empty is nothing.
 */
export function csvWriter(part: CsvPart): (records: readonly ExportRecord[]) => string {
  let columns = part === 'rows' ? undefined : columnsOf(part)
  let head = columns && csvLine(columns)
  return (records) => {
    const lines = records.map((record) => {
      const values: Readonly<Record<string, unknown>> = record.kind === 'row' ? record.values : { ...record }
      if (!columns) {
        columns = Object.keys(values)
        head = csvLine(columns)
      }
      return csvLine(
        columns.map((name) =>
          DOCUMENTS.has(name) && record.kind !== 'row'
            ? cellText(JSON.stringify(values[name]))
            : cellText(values[name]),
        ),
      )
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
