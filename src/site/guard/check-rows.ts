import { LIMITS } from '../../kernel/limits.ts'
import { ok } from '../../kernel/result.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'
import type { ReleaseValue } from '../../protocol/release.ts'

/** An output column as the gate declared it before anything ran. Types are those of `COLUMN_TYPES`, and `decimal`. */
export interface DeclaredColumn {
  readonly name: string
  readonly type: string
}

/**
 * The last look at what leaves: as many values as there are columns, each of the type that was declared, numbers finite,
 * and no more rows than allowed. The engine was told all of this; if it gave something else, nothing leaves.
 *
 * Declines with `declined.too_large` or `declined.function_output`.
 */
export function checkRows<R extends readonly (readonly ReleaseValue[])[]>(
  rows: R,
  columns: readonly DeclaredColumn[],
): Outcome<R> {
  if (rows.length > LIMITS.releaseRowsMax)
    return declined('declined.too_large', {
      detail: `The result has more than ${LIMITS.releaseRowsMax} rows`,
    })
  for (const row of rows) {
    if (row.length !== columns.length) return outputProblem(`expected ${columns.length} values in each row`)
    for (const [index, { name, type }] of columns.entries()) {
      if (!isOfType(row[index] ?? null, type)) return outputProblem(`expected ${type} in column "${name}"`)
    }
  }
  return ok(rows)
}

function outputProblem(expected: string): ReturnType<typeof declined> {
  return declined('declined.function_output', {
    operatorNote: `The engine gave something else than was declared: ${expected}`,
  })
}

function isOfType(value: ReleaseValue, type: string): boolean {
  if (value === null) return true
  switch (type) {
    case 'boolean':
      return typeof value === 'boolean'
    case 'integer':
      return typeof value === 'number'
        ? Number.isSafeInteger(value)
        : typeof value === 'string' && /^-?\d{1,38}$/.test(value)
    case 'number':
      return typeof value === 'number' && Number.isFinite(value)
    case 'decimal':
      return typeof value === 'number'
        ? Number.isFinite(value)
        : typeof value === 'string' && /^-?\d{1,38}(\.\d{1,38})?$/.test(value)
    case 'text':
    case 'json':
    case 'boolean[]':
    case 'integer[]':
    case 'number[]':
    case 'text[]':
      return typeof value === 'string'
    case 'date':
      return typeof value === 'string' && /^-?\d{4,6}-\d{2}-\d{2}$/.test(value)
    case 'timestamp':
      return (
        typeof value === 'string' && /^-?\d{4,6}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z?$/.test(value)
      )
    default:
      return false
  }
}
