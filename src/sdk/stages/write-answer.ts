import { err, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Release, ReleaseValue } from '../../protocol/release.ts'
import type { AnswerPlace } from './template.ts'

/** As much of a release as is written out. */
export type WrittenRelease = Pick<Release, 'columns' | 'rows'>

/**
 * Writes an answer out as constants, each with its type: what was released and nothing else. The remainder is no row of it. What
 * cannot stand where it should is said in a sentence.
 */
export function writeAnswer(
  release: WrittenRelease,
  place: Pick<AnswerPlace, 'form' | 'keys'>,
): Result<string, string> {
  const { columns, rows } = release
  if (rows.length > LIMITS.queryWrittenRowsMax)
    return err(`it has ${rows.length} rows, and at most ${LIMITS.queryWrittenRowsMax} can be written out`)
  const written: string[][] = []
  for (const row of rows) {
    const cells = columns.map(({ type }, column) => writeConstant(row[column] ?? null, type))
    const bad = cells.indexOf(undefined)
    if (bad >= 0) return err(`its column ${bad + 1} has a value that cannot be written out`)
    written.push(cells.filter((cell) => cell !== undefined))
  }
  const nulls = columns.map(({ type }) => writeConstant(null, type))
  if (nulls.includes(undefined)) return err('one of its columns is of a type that cannot be written out')
  return writeRows({ release, written, nulls: nulls.flatMap((one) => one ?? []) }, place)
}

interface Writing {
  readonly release: WrittenRelease
  readonly written: readonly (readonly string[])[]
  /** A null of each column. */
  readonly nulls: readonly string[]
}

function writeRows(
  { release, written, nulls }: Writing,
  { form, keys = [] }: Pick<AnswerPlace, 'form' | 'keys'>,
): Result<string, string> {
  const [first, another] = written
  const tuples = written.map((cells) => (cells.length === 1 ? cells.join('') : `(${cells.join(', ')})`))
  switch (form) {
    case 'value':
      if (release.columns.length !== 1) return err('it has several columns where one value is wanted')
      if (another) return err('it has several rows where one value is wanted')
      return ok(first?.[0] ?? nulls.join())
    case 'items':
      if (first === undefined && release.columns.length > 1) return err('it has no rows')
      return ok(first === undefined ? nothing(nulls.join()) : tuples.join(', '))
    case 'array':
      return first === undefined ? err('it has no rows') : ok(`array[${tuples.join(', ')}]`)
    case 'relation':
      return first === undefined ? err('it has no rows') : ok(relation(release, written))
    case 'of group':
      if (first === undefined) return ok(nulls.at(-1) ?? '')
      return ok(`case ${written.map((cells) => branch(keys, cells)).join(' ')} end`)
  }
}

/** A group that is shown; for the others there is no value. */
function branch(keys: readonly string[], cells: readonly string[]): string {
  const when = keys.map((key, index) => `${key} = ${cells[index] ?? ''}`).join(' and ')
  return `when ${when} then ${cells.at(-1) ?? ''}`
}

/** Among no values: those of a relation from which its only row is taken. */
function nothing(nulls: string): string {
  return `values (${nulls}) except values (${nulls})`
}

function relation({ columns }: WrittenRelease, written: Writing['written']): string {
  const rows = written.map((cells) => `(${cells.join(', ')})`).join(', ')
  return `select * from (values ${rows}) as "answer" (${columns.map(({ name }) => quoteName(name)).join(', ')})`
}

/** A name as it is, whatever is in it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

interface Kind {
  readonly cast: string
  readonly looks: RegExp
}

/** By the type of a column: the type it is written with, and how its values look. Doubles have the digits that give the same double again. */
const KINDS: ReadonlyMap<string, Kind> = new Map([
  ['boolean', { cast: 'bool', looks: /^(true|false)$/ }],
  ['integer', { cast: 'int8', looks: /^-?\d{1,19}$/ }],
  ['number', { cast: 'float8', looks: /^-?\d+(\.\d+)?(e[+-]?\d+)?$/ }],
  ['text', { cast: 'text', looks: /^[^\0]*$/ }],
  ['date', { cast: 'date', looks: /^\d{4}-\d{2}-\d{2}$/ }],
  ['timestamp', { cast: 'timestamp', looks: /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?Z$/ }],
])

/** A value as a quoted text with its type, whatever it is; `undefined` where it is none of the type. */
export function writeConstant(value: ReleaseValue, type: string): string | undefined {
  const kind = KINDS.get(type)
  if (kind === undefined) return undefined
  if (value === null) return `null::${kind.cast}`
  const text = String(value)
  return kind.looks.test(text) && text.isWellFormed() ? `${quoteText(text)}::${kind.cast}` : undefined
}

/** Signs that change the direction of reading may not stand in a question as they are (UAX #9). */
const REORDERING = /\p{Bidi_Control}/gu

function quoteText(text: string): string {
  const quoted = text.replaceAll("'", "''")
  if (text.search(REORDERING) < 0) return `'${quoted}'`
  const escaped = quoted
    .replaceAll('\\', '\\\\')
    .replaceAll(REORDERING, (sign) => `\\${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return `U&'${escaped}'`
}
