import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import { LIMITS } from '../../kernel/limits.ts'
import type { Column, ListType } from '../../protocol/data-set.ts'
import type { ImportFormat } from '../../protocol/http/data-set-api.ts'
import { STORED_TEXT } from './import-reader.ts'

/** How one column of the manifest is read from a file. Every expression stands over `ImportSource.relation`. */
export interface SourceField {
  readonly column: Column
  /** The value as a text; null where the file has none. */
  readonly text: RawBuilder<unknown>
  /** The value in its type; null where there is none or it is of another type. */
  readonly typed: RawBuilder<unknown>
  /** True where the value is not what the manifest says; never null. */
  readonly isWrong: RawBuilder<unknown>
  /** Of a value that is wrong, which option would help; null where none is known to. */
  readonly help?: RawBuilder<unknown> | undefined
}

/** A file as rows of the engine that reads it. */
export interface ImportSource {
  readonly format: ImportFormat
  readonly isPacked: boolean
  /** What stands behind FROM. */
  readonly relation: RawBuilder<unknown>
  /** One for each column of the manifest, in its order. */
  readonly fields: readonly SourceField[]
  /** Lines that are wrong as a whole; never null. */
  readonly wrongRow?: { readonly test: RawBuilder<unknown>; readonly expected: string } | undefined
}

/** The name of a column in the file. */
export function sourceName({ name, source }: Column): string {
  return source ?? name
}

/** What a wrong value should have been. */
export function expectedOf(column: Column, { isKey }: { isKey: boolean }): string {
  const kinds = {
    boolean: 'true or false',
    integer: 'a whole number of 64 bits',
    number: 'a finite number',
    text: column.values ? 'one of the values in the manifest' : 'a text',
    date: 'a date such as 2026-01-31',
    timestamp: 'a time such as 2026-01-31T12:00:00Z',
    json: `a JSON document of at most ${LIMITS.jsonDocumentBytesMax} bytes and ${LIMITS.jsonDepthMax} levels`,
    'boolean[]': `a list ${LIST} of true and false`,
    'integer[]': `a list ${LIST} of whole numbers within ±2^53`,
    'number[]': `a list ${LIST} of finite numbers`,
    'text[]': `a list ${LIST} of texts`,
  }
  const need = isKey || column.isRequired ? '; it may not be empty' : ''
  const length = isKey ? ` of at most ${KEY_CHARACTERS_MAX} characters` : ''
  return `expected ${kinds[column.type]}${length}${need}`
}

const LIST = `of at most ${LIMITS.listItemsMax} values, none of them null,`

/** Keys of people are no longer than grants can name them (`grantRequestSchema`). */
export const KEY_CHARACTERS_MAX = 200

/** The field that reads a column from a text, as CSV has them. */
export function textField(
  column: Column,
  text: RawBuilder<unknown>,
  { isKey }: { isKey: boolean },
): SourceField {
  const typed = castOf(column, text)
  return {
    column,
    text,
    typed,
    isWrong: wrongTest(column, { text, isKey, isMistyped: mistypedTest(column, { text, typed }) }),
  }
}

/** A text in its column's type; null when it cannot be read so. */
function castOf({ type }: Column, text: RawBuilder<unknown>): RawBuilder<unknown> {
  switch (type) {
    case 'text':
      return text
    case 'boolean':
      return sql`try_cast(${text} as boolean)`
    case 'integer':
      return sql`try_cast(${text} as bigint)`
    case 'number':
      return sql`try_cast(${text} as double)`
    case 'date':
      return sql`try_cast(${text} as date)`
    case 'json':
      return storedForm(text, type)
    case 'boolean[]':
    case 'integer[]':
    case 'number[]':
    case 'text[]':
      return sql`${storedForm(text, type)}::json`
    case 'timestamp':
      // A plain cast would drop an offset without a word; only longer texts can have one.
      return sql`case when length(${text}) > 19
        then make_timestamp(epoch_us(try_cast(${text} as timestamptz))) else try_cast(${text} as timestamp) end`
  }
}

/** A JSON text in the vault's form; null where it is none. */
export function storedForm(text: RawBuilder<unknown>, type: 'json' | ListType): RawBuilder<unknown> {
  return sql`${sql.id(STORED_TEXT)}(${text}, ${sql.lit(type)})`
}

/** Casts of the engine are kinder than a manifest may be: they round, and know words for dates and numbers. */
function mistypedTest(
  { type }: Column,
  { text, typed }: { text: RawBuilder<unknown>; typed: RawBuilder<unknown> },
): RawBuilder<unknown> {
  switch (type) {
    case 'text':
      return sql`false`
    case 'boolean':
    case 'json':
    case 'boolean[]':
    case 'integer[]':
    case 'number[]':
    case 'text[]':
      return sql`${typed} is null`
    case 'integer':
      return sql`(${typed} is null or try_cast(${text} as double) is distinct from ${typed}::double)`
    case 'number':
      return sql`not coalesce(isfinite(${typed}), false)`
    case 'date':
    case 'timestamp':
      return sql`not coalesce(${typed} between '0001-01-01' and '9999-12-31' and ${text} < ':' and ${text} >= '0', false)`
  }
}

/** Empty where it may not be, of another type, or none of the values allowed. */
export function wrongTest(
  column: Column,
  { text, isKey, isMistyped }: { text: RawBuilder<unknown>; isKey: boolean; isMistyped: RawBuilder<unknown> },
): RawBuilder<unknown> {
  const values =
    column.values && sql`${text} not in (${sql.join(column.values.map((value) => sql.lit(value)))})`
  const tooLong = isKey ? sql` or length(${text}) > ${sql.lit(KEY_CHARACTERS_MAX)}` : sql``
  const isEmpty = isKey || column.isRequired ? sql`true` : sql`false`
  return sql`(case when ${text} is null then ${isEmpty} else (${isMistyped}${values ? sql` or ${values}` : sql``}${tooLong}) end)`
}
