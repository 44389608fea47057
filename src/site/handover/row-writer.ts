import { isScalarType } from '../../protocol/data-set.ts'
import type { Column, Manifest } from '../../protocol/data-set.ts'
import type { ExportValue } from '../../protocol/rights/person-export.ts'
import { sourceName } from '../datasets/source-field.ts'
import type { HandedForm } from './hand-over-form.ts'

/** How rows are written in a file that an import of the same manifest reads as the rows that they were. */
export interface RowWriter {
  /** What stands before all rows. */
  readonly head: string
  readonly line: (values: Readonly<Record<string, ExportValue>>) => string
}

/** Fields stand under the names that they have in a file, in the order in which the manifest first has them. */
export function rowWriter(manifest: Manifest, format: HandedForm['format']): RowWriter {
  const fields = [...Map.groupBy(manifest.columns, sourceName)]
  if (format === 'csv') {
    return {
      head: csvLine(fields.map(([name]) => name)),
      line: (values) => csvLine(fields.map(([, columns]) => csvText(columns, values))),
    }
  }
  return {
    head: '',
    line: (values) =>
      `{${fields.map(([name, columns]) => `${JSON.stringify(name)}:${jsonText(columns, values)}`).join(',')}}\n`,
  }
}

type Values = Readonly<Record<string, ExportValue>>

/** As the import reads it: every text as it is, also one that a spreadsheet would take for a formula. */
function csvLine(texts: readonly string[]): string {
  return `${texts.map((text) => (/[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)).join(',')}\r\n`
}

function csvText(columns: readonly Column[], values: Values): string {
  const [column] = columns
  if (!column || column.path) return documentOf(columns, values) ?? ''
  const value = values[column.name] ?? null
  return value === null ? '' : String(value)
}

function jsonText(columns: readonly Column[], values: Values): string {
  const [column] = columns
  if (!column || column.path) return documentOf(columns, values) ?? 'null'
  return jsonOf(column, values[column.name] ?? null)
}

/**
 * A value as JSON of its column's type. What was sealed is the text that came, and whole numbers beyond 2^53 are texts too; both stand
 * with all their digits. A text that is no JSON of its type stays one, and the import says so rather than reads another value.
 */
function jsonOf({ type }: Column, value: ExportValue): string {
  if (typeof value !== 'string') return JSON.stringify(value)
  // In good JSON a line end is white space, and a line of NDJSON has none.
  if (!isScalarType(type)) return value.replaceAll(/[\r\n]+/g, ' ')
  const isLiteral =
    type === 'boolean'
      ? /^(true|false)$/.test(value)
      : (type === 'integer' || type === 'number') && /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(value)
  return isLiteral ? value : JSON.stringify(value)
}

/**
 * A document that has at their places the values that columns took out of one; the rest of it was not kept. Steps are members, also where
 * a list stood: they lead to the same. Undefined where there is no value.
 */
function documentOf(columns: readonly Column[], values: Values): string | undefined {
  const document = new Branch()
  const shortestFirst = columns.toSorted((a, b) => (a.path?.length ?? 0) - (b.path?.length ?? 0))
  for (const column of shortestFirst) {
    const value = values[column.name] ?? null
    if (value !== null) document.put(column.path ?? [], jsonOf(column, value))
  }
  return document.isEmpty ? undefined : document.text
}

class Branch {
  readonly #members = new Map<string, Branch | string>()

  get isEmpty(): boolean {
    return this.#members.size === 0
  }

  get text(): string {
    const members = [...this.#members].map(
      ([name, member]) => `${JSON.stringify(name)}:${typeof member === 'string' ? member : member.text}`,
    )
    return `{${members.join(',')}}`
  }

  /** What is part of a value that is there already is in it. */
  put([step, ...rest]: readonly string[], text: string): void {
    if (step === undefined) return
    const member = this.#members.get(step)
    if (rest.length === 0) {
      if (member === undefined) this.#members.set(step, text)
      return
    }
    if (typeof member === 'string') return
    const branch = member ?? new Branch()
    this.#members.set(step, branch)
    branch.put(rest, text)
  }
}
