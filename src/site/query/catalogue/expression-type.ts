import type { ColumnType } from '../../../protocol/data-set.ts'

/**
 * Types of expressions: those of columns; `interval` is a constant span of time; `person` is the person behind a row
 * and can only be counted, joined on and, in `rows`, shown as a pseudonym.
 */
export type ExprType = ColumnType | 'interval' | 'person'

/** A constant span: months, days and microseconds are kept apart, as PostgreSQL does. */
export interface Span {
  readonly months: number
  readonly days: number
  readonly microseconds: number
}

/** Least and greatest value that an expression takes while its columns stay within their declared bounds. */
export interface Range {
  readonly least: number
  readonly greatest: number
}
