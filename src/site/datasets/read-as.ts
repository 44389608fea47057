import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import { DECIMALS, THOUSANDS, foldedWords, wordsOf } from '../../protocol/csv-form.ts'
import type { CsvForm } from '../../protocol/csv-form.ts'
import type { Column } from '../../protocol/data-set.ts'

/** What is put for a value that is not written in the form that was said: no type takes it. */
const UNREADABLE = sql.lit('?')

/**
 * The text of a field as the plain form has it: `1.234,5` as `1234.5`, `31.1.2026` as `2026-01-31`, `ja` as `true`, `k.A.` as nothing.
 * Strictly: in a file of which a form was said, a number or date in another one is wrong, because it may mean something else.
 */
export function readAs(
  form: CsvForm,
  { type }: Pick<Column, 'type'>,
  text: RawBuilder<unknown>,
): RawBuilder<unknown> {
  const words = wordsOf(form.missing)
  const present =
    words.length === 0 ? text : sql`(case when ${text} in (${literals(words)}) then null else ${text} end)`
  switch (type) {
    case 'integer':
    case 'number':
      return plainNumber(form, present)
    case 'date':
      return plainDate(form, present, { end: '' })
    case 'timestamp':
      return plainDate(form, present, { end: '([T ].*)?' })
    case 'boolean':
      return plainBoolean(form, present)
    case 'text':
    case 'json':
    case 'boolean[]':
    case 'integer[]':
    case 'number[]':
    case 'text[]':
      return present
  }
}

function literals(words: readonly string[]): RawBuilder<unknown> {
  return sql.join(words.map((word) => sql.lit(word)))
}

function plainNumber(
  { decimal = 'point', thousands }: CsvForm,
  text: RawBuilder<unknown>,
): RawBuilder<unknown> {
  if (decimal === 'point' && thousands === undefined) return text
  const point = RegExp.escape(DECIMALS[decimal])
  // A space between thousands is often one that does not break.
  const group =
    thousands === undefined ? '' : thousands === 'space' ? `[ \u00a0\u202f]` : `[${THOUSANDS[thousands]}]`
  const whole = group === '' ? '[0-9]+' : `[0-9]{1,3}(${group}[0-9]{3})+|[0-9]+`
  const shape = `[+-]?((${whole})(${point}[0-9]*)?|${point}[0-9]+)([eE][+-]?[0-9]+)?`
  const ungrouped = group === '' ? text : sql`regexp_replace(${text}, ${sql.lit(group)}, '', 'g')`
  const plain = sql`replace(${ungrouped}, ${sql.lit(DECIMALS[decimal])}, '.')`
  return readable(text, { shape, plain })
}

function plainDate(
  { dates = 'yyyy-mm-dd' }: CsvForm,
  text: RawBuilder<unknown>,
  { end }: { end: string },
): RawBuilder<unknown> {
  if (dates === 'yyyy-mm-dd') return text
  const parts = dates.match(/y+|m+|d+|[./-]/g) ?? []
  const isSolid = !parts.some((part) => /[./-]/.test(part))
  const digits = (part: string) => (part === 'yyyy' ? '([0-9]{4})' : isSolid ? '([0-9]{2})' : '([0-9]{1,2})')
  const day = parts.map((part) => (/[ymd]/.test(part) ? digits(part) : `[${part}]`)).join('')
  const order = parts.filter((part) => /[ymd]/.test(part)).map((part) => part.charAt(0))
  const group = (letter: string) => `\\${order.indexOf(letter) + 1}`
  const shape = `${day}${end}`
  const rest = end === '' ? '' : '\\4'
  const padded = sql`regexp_replace(${text}, ${sql.lit(`^${shape}$`)}, ${sql.lit(`${group('y')}-0${group('m')}-0${group('d')}${rest}`)})`
  const plain = sql`regexp_replace(${padded}, '^([0-9]{4})-0?([0-9]{2})-0?([0-9]{2})', '\\1-\\2-\\3')`
  return readable(text, { shape, plain })
}

function plainBoolean(form: CsvForm, text: RawBuilder<unknown>): RawBuilder<unknown> {
  const [yes, no] = [foldedWords(form.true), foldedWords(form.false)]
  const cases = [
    ...(yes.length === 0 ? [] : [sql`when lower(${text}) in (${literals(yes)}) then 'true'`]),
    ...(no.length === 0 ? [] : [sql`when lower(${text}) in (${literals(no)}) then 'false'`]),
  ]
  return cases.length === 0 ? text : sql`(case ${sql.join(cases, sql` `)} else ${text} end)`
}

function readable(
  text: RawBuilder<unknown>,
  { shape, plain }: { shape: string; plain: RawBuilder<unknown> },
): RawBuilder<unknown> {
  return sql`(case when ${text} is null then null when regexp_full_match(${text}, ${sql.lit(shape)}) then ${plain} else ${UNREADABLE} end)`
}

/** Words that stand for no value in many files. */
export const USUAL_MISSING = [
  'NA',
  'N/A',
  'n/a',
  '#N/A',
  'NULL',
  'null',
  'None',
  'NaN',
  'nan',
  '-',
  '--',
  '.',
  '?',
  'k.A.',
]

/** Which option would help with a value that is wrong as it is written; null where none is known to. */
export function helpingOption(
  form: CsvForm,
  { type }: Pick<Column, 'type'>,
  text: RawBuilder<unknown>,
): RawBuilder<unknown> | undefined {
  const said = (shape: string, option: string) =>
    sql`when regexp_full_match(${text}, ${sql.lit(shape)}) then ${sql.lit(option)}`
  const missing = sql`when ${text} in (${literals(USUAL_MISSING)}) then ${sql.lit(MISSING_HELP)}`
  const cases = () => {
    switch (type) {
      case 'integer':
      case 'number':
        return [
          ...(form.decimal === undefined ? [said('[+-]?[0-9]*,[0-9]+', DECIMAL_HELP)] : []),
          ...(form.thousands === undefined ? [said(GROUPED, THOUSANDS_HELP)] : []),
        ]
      case 'date':
      case 'timestamp':
        return [said(OTHER_DATE, DATES_HELP)]
      case 'boolean':
        return [said('[^0-9]{1,20}', BOOLEAN_HELP)]
      case 'text':
      case 'json':
      case 'boolean[]':
      case 'integer[]':
      case 'number[]':
      case 'text[]':
        return undefined
    }
  }
  const others = cases()
  return others && sql`(case ${sql.join([missing, ...others], sql` `)} end)`
}

const MISSING_HELP = 'words for a value that is missing are said with --missing'
const DECIMAL_HELP = 'decimals behind a comma are said with --decimal comma'
const THOUSANDS_HELP = 'signs between thousands are said with --thousands'
const DATES_HELP = 'dates in another form are said with --dates, such as --dates dd.mm.yyyy'
const BOOLEAN_HELP = 'words for true and false are said with --true and --false'

const GROUPED = `[+-]?[0-9]{1,3}([., '\u00a0\u202f][0-9]{3})+([.,][0-9]+)?`
const OTHER_DATE = '[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}([T ].*)?|[0-9]{8}'
