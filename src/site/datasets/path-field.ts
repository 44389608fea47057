import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import { isScalarType } from '../../protocol/data-set.ts'
import type { Column, ScalarType } from '../../protocol/data-set.ts'
import { storedForm, textField, wrongTest } from './source-field.ts'
import type { SourceField } from './source-field.ts'

/** JSON kinds that a column takes. Keys of people may be whole numbers, dates and times are texts. */
export function kindsOf(type: ScalarType, { isKey }: { isKey: boolean }): RawBuilder<unknown> {
  const kinds = {
    boolean: ['BOOLEAN'],
    integer: ['BIGINT', 'UBIGINT'],
    number: ['BIGINT', 'UBIGINT', 'DOUBLE'],
    text: isKey ? ['VARCHAR', 'BIGINT', 'UBIGINT'] : ['VARCHAR'],
    date: ['VARCHAR'],
    timestamp: ['VARCHAR'],
  }[type]
  return sql.join(kinds.map((name) => sql.lit(name)))
}

/** RFC 6901. */
export function pointerOf(steps: readonly string[]): string {
  return steps.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/**
 * A column that is taken out of a document of the file, which itself is not kept (`docs/decisions/0024`). `document` is its text.
 * What is not there is null; a value of another kind is wrong, as is whatever is no document. Numbers of documents are doubles, so whole
 * numbers end at ±2^53.
 */
export function pathField(column: Column, document: RawBuilder<unknown>): SourceField {
  const stored = storedForm(document, 'json')
  const pointer = sql.lit(pointerOf(column.path ?? []))
  const field = isScalarType(column.type)
    ? scalarAt(column, column.type, { stored, pointer })
    : textField(column, sql`nullif(json_extract(${stored}, ${pointer})::varchar, 'null')`, { isKey: false })
  const isBroken = sql`(${document} is not null and ${stored} is null)`
  return { ...field, isWrong: sql`(case when ${isBroken} then true else ${field.isWrong} end)` }
}

interface At {
  readonly stored: RawBuilder<unknown>
  readonly pointer: RawBuilder<unknown>
}

function scalarAt(column: Column, type: ScalarType, { stored, pointer }: At): SourceField {
  const text = sql`nullif(json_extract_string(${stored}, ${pointer}), '')`
  const field = textField(column, text, { isKey: false })
  const isOther = sql`json_type(${stored}, ${pointer}) not in (${kindsOf(type, { isKey: false })})`
  const isPast =
    type === 'integer'
      ? sql`abs(try_cast(${text} as double)) > ${sql.lit(Number.MAX_SAFE_INTEGER)}`
      : sql`false`
  const isMistyped = sql`(${isOther} or ${isPast} or ${field.isWrong})`
  return { ...field, isWrong: wrongTest(column, { text, isKey: false, isMistyped }) }
}
