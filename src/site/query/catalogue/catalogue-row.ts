import { LIMITS } from '../../../kernel/limits.ts'
import { DATE_PATTERN_EXPECTED, readDatePattern } from './date-pattern.ts'
import type { ExprType } from './expression-type.ts'
import type { Text } from './forms.ts'
import { NUMBER_PATTERN_EXPECTED, readNumberPattern } from './number-pattern.ts'
import type { MaybeRange } from './ranges.ts'

/** Engines that forms are written for. */
export type Dialect = 'duckdb' | 'postgres'

/**
 * What a place of a call takes: a type; `any`, one type of single values in all such places; `anything`, also what is no
 * single value; `list`, one type of lists in all such places, and `item`, what such a list holds; `pattern`, `regular expression`, `folded expression` (one that takes letters in either case), `searched expression` and `folded searched expression` (of which it matters what they find), `found expression` (with a group), `replacement` of what the one before it finds, `written text` (not empty) or
 * `shorter text` (no longer than the written text before it), `stride` (a span of days and parts of them, which is written out), `member name`, `member name of digits`, `path step` and `json value` (a single one) of
 * a JSON document, which are written down in the question; or a constant of a kind, which is known when the question is checked.
 */
export type Parameter =
  | ExprType
  | 'any'
  | 'anything'
  | 'list'
  | 'item'
  | 'member name'
  | 'member name of digits'
  | 'path step'
  | 'json value'
  | 'pattern'
  | 'regular expression'
  | 'folded expression'
  | 'searched expression'
  | 'folded searched expression'
  | 'found expression'
  | 'replacement'
  | 'written text'
  | 'shorter text'
  | 'stride'
  | { readonly constant: ConstantKind }

/** Printed arguments: the first three by letter, all as a list, and the constants. */
export interface FormArguments {
  readonly a: Text
  readonly b: Text
  readonly c: Text
  readonly all: readonly Text[]
  readonly constants: readonly (string | number)[]
}

export type Form = (args: FormArguments) => Text

/** One function, operator, cast or piece of syntax with one list of argument types: all that is known about it. */
export interface CatalogueRow {
  readonly kind: 'operator' | 'function' | 'cast' | 'syntax'
  /** As it is written in a question; operators by their sign. */
  readonly names: readonly string[]
  readonly takes: readonly Parameter[]
  /** Whether the last place may be filled again and again. */
  readonly isVariadic?: true
  readonly gives: ExprType | 'any' | 'item'
  /** What it means where engines differ, for the reference page. */
  readonly says?: string
  /**
   * Of a row that gives a text: how many stored texts long it may be, by how many its arguments may be; absent where it is
   * no longer than the longest of them.
   */
  readonly copies?: (args: readonly number[], constants: readonly (string | number)[]) => number
  /**
   * How many times as long as the longest argument is what the form for DuckDB makes on the way, beside what it gives and beside the memory
   * that DuckDB counts, which is that of documents too.
   */
  readonly makes?: number
  /** How often a form writes an argument, where it is more than once: within itself, it would grow past all bounds. */
  readonly prints?: number
  readonly duckdb: Form
  readonly postgres: Form
  /** Interval arithmetic; absent when nothing is known of the result. */
  readonly range?: (
    ranges: readonly MaybeRange[],
    constants: readonly (string | number)[],
    gives: ExprType,
  ) => MaybeRange
}

export const DATE_UNITS = ['day', 'week', 'month', 'quarter', 'year', 'decade', 'century'] as const
export const TIMESTAMP_UNITS = ['second', 'minute', 'hour', ...DATE_UNITS] as const
export const DATE_FIELDS = [
  'year',
  'isoyear',
  'quarter',
  'month',
  'week',
  'day',
  'doy',
  'dow',
  'isodow',
  'decade',
  'century',
] as const
export const TIMESTAMP_FIELDS = [...DATE_FIELDS, 'hour', 'minute'] as const

interface ConstantRule {
  /** For a decline: what was expected. */
  readonly expected: string
  /** The constant as it is kept; `undefined` when it will not do. */
  readonly accept: (value: string | number | boolean | null) => string | number | undefined
}

function word(words: readonly string[]): ConstantRule {
  return {
    expected: `one of ${words.join(', ')}`,
    accept: (value) =>
      typeof value === 'string' && words.includes(value.toLowerCase()) ? value.toLowerCase() : undefined,
  }
}

function whole(least: number, greatest: number): ConstantRule {
  const isWithin = (value: unknown) =>
    Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= greatest
  return {
    expected: `a whole number from ${least} to ${greatest}`,
    accept: (value) => (typeof value === 'number' && isWithin(value) ? value : undefined),
  }
}

/** Kinds of constants. */
export const CONSTANTS = {
  'date unit': word(DATE_UNITS),
  'timestamp unit': word(TIMESTAMP_UNITS),
  'date field': word(DATE_FIELDS),
  'timestamp field': word(TIMESTAMP_FIELDS),
  second: word(['second']),
  epoch: word(['epoch']),
  digits: whole(-15, 15),
  from: whole(1, 1_000_000),
  'json index': whole(-1_000, 1_000),
  dimension: whole(1, 1),
  length: whole(0, 1_000_000),
  'length or but': whole(-1_000_000, 1_000_000),
  place: {
    expected: 'a whole number from -1000 to 1000000, but 0',
    accept: (value) => (value === 0 ? undefined : whole(-1_000, 1_000_000).accept(value)),
  },
  'day pattern': {
    expected: 'a pattern of YYYY, MM and DD, once each, with - / . or spaces between, or nothing',
    accept: (value) =>
      typeof value === 'string' &&
      value.length <= 20 &&
      /^(?=.*YYYY)(?=.*MM)(?=.*DD)(YYYY|MM|DD)([-/. ]*(YYYY|MM|DD)){2}$/.test(value)
        ? value
        : undefined,
  },
  buckets: whole(1, 10_000),
  repeats: whole(0, 64),
  width: whole(0, 1_000),
  'each match': word(['g']),
  'either case': word(['i']),
  'each in either case': word(['gi', 'ig']),
  'date pattern': {
    expected: DATE_PATTERN_EXPECTED,
    accept: (value) => (typeof value === 'string' ? readDatePattern(value) : undefined),
  },
  'number pattern': {
    expected: NUMBER_PATTERN_EXPECTED,
    accept: (value) => (typeof value === 'string' && readNumberPattern(value) ? value : undefined),
  },
  bound: {
    expected: 'a declared bound',
    accept: (value) => (typeof value === 'number' ? value : undefined),
  },
  edge: {
    expected: 'a number from -1e15 to 1e15, 0 or at least 1e-15 in magnitude',
    accept: (value) =>
      typeof value === 'number' && (value === 0 || (Math.abs(value) <= 1e15 && Math.abs(value) >= 1e-15))
        ? value
        : undefined,
  },
} as const satisfies Readonly<Record<string, ConstantRule>>

export type ConstantKind = keyof typeof CONSTANTS

/** How many stored texts long so many bytes are. */
export function storedTexts(bytes: number): number {
  return Math.ceil(bytes / LIMITS.queryStoredTextBytes)
}

/** Of `makes`: a list has 16 bytes for each part, which is mostly a sign at least and what parts it from the next. */
export const LIST_OF_PARTS = 8

/** Texts one after the other. */
export function together(copies: readonly number[]): number {
  return copies.reduce((sum, one) => sum + one, 0)
}

/** The same text for both engines. */
export function both(form: Form): Pick<CatalogueRow, 'duckdb' | 'postgres'> {
  return { duckdb: form, postgres: form }
}

/** A text for each engine that differs in a piece of it. */
export function each(
  form: (args: FormArguments, dialect: Dialect) => Text,
): Pick<CatalogueRow, 'duckdb' | 'postgres'> {
  return { duckdb: (args) => form(args, 'duckdb'), postgres: (args) => form(args, 'postgres') }
}

/** An infix operator that is the same for both engines. */
export function infix(sign: string): Pick<CatalogueRow, 'duckdb' | 'postgres'> {
  return both(({ a, b }) => `(${a} ${sign} ${b})`)
}
