import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import { runOwn } from '../vault/own-sql.ts'
import type { ImportReader } from '../datasets/import-reader.ts'
import { USUAL_MISSING } from '../datasets/read-as.ts'
import { watched } from './draft-progress.ts'
import type { DraftWatch } from './draft-progress.ts'
import type { SeenColumn, SeenFile } from './see-file.ts'

const DAY = '[0-9]{1,2}'
const TIME = '[T ][0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]+)?)?( ?(Z|[+-][0-9]{2}:?[0-9]{2}))?'
/** Shapes of what names a person or their machine. */
export const IDENTIFIERS = {
  mail: '[^@ ]+@[^@ ]+\\.[A-Za-z]{2,}',
  phone: '(\\+|00)[0-9][0-9 ()/.-]{6,20}|0[0-9]{2,5}[ /-][0-9 /-]{4,15}',
  iban: '[A-Z]{2}[0-9]{2}( ?[A-Z0-9]{4}){2,7}( ?[A-Z0-9]{1,3})?',
  uuid: '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}',
  ip: '[0-9]{1,3}(\\.[0-9]{1,3}){3}',
} as const

/** Shapes of texts, for the engine: each a whole match. Only how many values have one is ever taken out of it. */
const SHAPES = {
  whole: '[+-]?(0|[1-9][0-9]{0,17})',
  padded: '0[0-9]+',
  point: '[+-]?[0-9]*\\.?[0-9]+([eE][+-]?[0-9]+)?',
  comma: '[+-]?[0-9]+(,[0-9]+)?',
  commaOfThree: '[+-]?[0-9]{1,3}(,[0-9]{3})+',
  hasComma: '[+-]?[0-9]+,[0-9]+',
  byPoint: '[+-]?([0-9]{1,3}(\\.[0-9]{3})+|[0-9]+)(,[0-9]+)?',
  byComma: '[+-]?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)(\\.[0-9]+)?',
  bySpace: '[+-]?([0-9]{1,3}([ \u00a0\u202f][0-9]{3})+|[0-9]+)([.,][0-9]+)?',
  byApostrophe: "[+-]?([0-9]{1,3}('[0-9]{3})+|[0-9]+)([.,][0-9]+)?",
  iso: `[0-9]{4}-${DAY}-${DAY}`,
  isoTime: `[0-9]{4}-${DAY}-${DAY}${TIME}`,
  isoMidnight: `[0-9]{4}-${DAY}-${DAY} 00:00:00(\\.0+)?`,
  solid: '(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])',
  ...datesBy('dot', '\\.'),
  ...datesBy('slash', '/'),
  ...datesBy('dash', '-'),
  zeroOrOne: '[01]',
  plainBoolean: '(?i)true|false',
  yesNo: '(?i)yes|no|y|n',
  jaNein: '(?i)ja|nein|j|n',
  ouiNon: '(?i)oui|non|o|n',
  siNo: '(?i)si|sí|no|s|n',
  wahrFalsch: '(?i)wahr|falsch|w|f',
  vraiFaux: '(?i)vrai|faux|v|f',
  ...IDENTIFIERS,
  country: '[A-Z]{2}',
  document: '(?s)[{\\[].*[}\\]]',
} as const

/** Of each sign: days and times with it, those whose first or second number can be no month, and those with the year first. */
function datesBy<N extends string>(name: N, sign: string) {
  const day = `${DAY}${sign}${DAY}${sign}[0-9]{4}`
  const large = '(1[3-9]|2[0-9]|3[01])'
  return {
    [`${name}Day`]: day,
    [`${name}Time`]: `${day}${TIME}`,
    [`${name}DayFirst`]: `${large}${sign}${DAY}${sign}[0-9]{4}.*`,
    [`${name}MonthFirst`]: `${DAY}${sign}${large}${sign}[0-9]{4}.*`,
    [`${name}YearFirst`]: `[0-9]{4}${sign}${DAY}${sign}${DAY}`,
  } as Readonly<Record<`${N}${'Day' | 'Time' | 'DayFirst' | 'MonthFirst' | 'YearFirst'}`, string>>
}

export type Shape = keyof typeof SHAPES

/** What was counted in one column; no value of it. */
export interface ColumnFacts {
  readonly column: SeenColumn
  /** Values, without the empty ones and the words that usually stand for none. */
  readonly values: number
  readonly empty: number
  /** The words that stand for none there, out of a public list. */
  readonly missing: readonly string[]
  readonly shapes: Readonly<Record<Shape, number>>
  /** How many different ones there are, about. */
  readonly distinct: number
  readonly lengthMean: number
  readonly spacesMean: number
  /** Whether the name comes again as a value. */
  readonly repeatsName: boolean
}

const COLUMNS_AT_ONCE = 20

/** Goes through the file and counts. */
export async function countColumns(
  reader: ImportReader,
  file: SeenFile,
  watch: DraftWatch,
): Promise<readonly ColumnFacts[]> {
  const facts: ColumnFacts[] = []
  const parts = Math.ceil(file.columns.length / COLUMNS_AT_ONCE)
  for (let part = 0; part < parts; part += 1) {
    const start = part * COLUMNS_AT_ONCE
    const some = file.columns.slice(start, start + COLUMNS_AT_ONCE)
    const work = () => countSome(reader, file, some)
    facts.push(...(await watched(reader, { ...watch, step: 'columns', part, parts }, work)))
  }
  return facts
}

const NAMES = Object.keys(SHAPES) as readonly Shape[]
const OTHERS = 7

async function countSome(
  { connection }: ImportReader,
  { relation }: SeenFile,
  columns: readonly SeenColumn[],
): Promise<readonly ColumnFacts[]> {
  const texts = columns.map(({ text }, index) => sql`${text} as ${sql.id(`t${index}`)}`)
  const counts = columns.flatMap((column, index) => countsOf(sql.id(`t${index}`), column))
  const found = await runOwn(
    connection,
    sql`select ${sql.join(counts)} from (select ${sql.join(texts)} from ${relation})`,
  )
  const row = found.getRowsJson()[0] ?? []
  const width = NAMES.length + OTHERS
  return columns.map((column, index) => factsOf(column, row.slice(index * width, (index + 1) * width)))
}

function countsOf(text: RawBuilder<unknown>, { name }: SeenColumn): readonly RawBuilder<unknown>[] {
  const words = sql.join(USUAL_MISSING.map((word) => sql.lit(word)))
  const value = sql`(case when ${text} not in (${words}) then ${text} end)`
  const shapes = NAMES.map(
    (shape) => sql`count_if(regexp_full_match(${value}, ${sql.lit(SHAPES[shape])}))::double`,
  )
  return [
    sql`count(${value})::double`,
    sql`(count(*) - count(${value}))::double`,
    sql`list(distinct ${text}) filter (where ${text} in (${words}))`,
    sql`approx_count_distinct(${value})::double`,
    sql`coalesce(avg(length(${value})), 0)::double`,
    sql`coalesce(avg(length(${value}) - length(replace(${value}, ' ', ''))), 0)::double`,
    sql`count_if(${text} = ${sql.lit(name)})::double`,
    ...shapes,
  ]
}

function factsOf(column: SeenColumn, row: readonly unknown[]): ColumnFacts {
  const [values, empty, missing, distinct, lengthMean, spacesMean, repeats, ...counts] = row
  return {
    column,
    values: Number(values),
    empty: Number(empty),
    missing: Array.isArray(missing) ? missing.map(String).toSorted() : [],
    distinct: Number(distinct),
    lengthMean: Number(lengthMean),
    spacesMean: Number(spacesMean),
    repeatsName: Number(repeats) > 0,
    shapes: Object.fromEntries(
      NAMES.map((name, index) => [name, Number(counts[index])]),
    ) as ColumnFacts['shapes'],
  }
}
