import { z } from 'zod'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { isPurposeWithin } from './purpose.ts'
import { columnNameSchema, purposeSchema } from '../wire.ts'

const DURATION = 'expected an ISO 8601 duration of years, months, weeks and days such as P5Y'
const durationSchema = z
  .string(DURATION)
  // What is no duration is not also said to be too long.
  .regex(/^P(?=\d)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?$/, { error: DURATION, abort: true })
  .refine((text) => lengthOf(text) !== undefined, 'expected at most 1000 years')
const fromSchema = z.iso.date('expected a date such as 2026-01-31')

/** The length of a period in years, roughly; `undefined` for one that is none, or longer than anything is kept. */
function lengthOf(period: string): number | undefined {
  const [, ...parts] = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?$/.exec(period) ?? []
  const [years = 0, months = 0, weeks = 0, days = 0] = parts.map((part) => Number(part ?? 0))
  const length = years + months / 12 + weeks / 52 + days / 365
  return parts.length > 0 && length <= 1_000 ? length : undefined
}

/** How long some of a data set is kept; `from` is that of the data set unless told. */
const shorterShape = { period: durationSchema, from: fromSchema.optional() }

/** A category of the DPV, as columns name it. */
export const dataCategorySchema = z
  .string()
  .regex(/^dpv-pd:[A-Za-z-]+$/, 'expected a DPV category such as dpv-pd:Height')

/**
 * How long a data set is kept, and what of it less long: columns of a category, or all of it for a purpose. Each ends at
 * midnight UTC of its first day plus its period.
 */
export const retentionSchema = z.strictObject({
  period: durationSchema,
  from: fromSchema,
  /** Each row is kept no longer than this from a date of its own, at the latest to the end of the data set. */
  rows: z.strictObject({ column: columnNameSchema, period: durationSchema }).optional(),
  /** Columns of these categories are kept no longer than this. */
  categories: z
    .array(z.strictObject({ category: dataCategorySchema, ...shorterShape }))
    .max(100)
    .optional(),
  /** For these purposes, and narrower ones, the data is used no longer than this. */
  purposes: z
    .array(z.strictObject({ purpose: purposeSchema, ...shorterShape }))
    .max(100)
    .optional(),
})
export type Retention = z.infer<typeof retentionSchema>

/** As much of a manifest as retention is about. */
interface RetainedTerms {
  readonly retention: Retention
  readonly columns: readonly { readonly name: string; readonly category?: string | undefined }[]
}

/**
 * The moment at which a period ends that begins with a day: 31 January and one month is the last of February, 29 February
 * and a year the 28th, as calendars count (RFC 3339; ISO 8601 durations).
 */
export function periodEnd({ from, period }: { readonly from: string; readonly period: string }): Instant {
  const name = `${from} ${period}`
  const known = periodEnds.get(name)
  if (known !== undefined) return known
  const end = instant(
    Temporal.PlainDate.from(from).add(Temporal.Duration.from(period)).toZonedDateTime('UTC')
      .epochMilliseconds,
  )
  if (periodEnds.size >= PERIOD_ENDS_MAX) periodEnds.clear()
  periodEnds.set(name, end)
  return end
}

/** Kept, because every ask looks at those of its data sets three times, and a calendar takes a tenth of a millisecond for each. */
const periodEnds = new Map<string, Instant>()
const PERIOD_ENDS_MAX = 10_000

/** The moment at which the whole data set ends. */
export function retentionEnd(retention: Retention): Instant {
  return periodEnd(retention)
}

/** The moment from which the data set is not used for a purpose any more: its own end, or an earlier one. */
export function purposeEnd({ retention }: Pick<RetainedTerms, 'retention'>, purpose: string): Instant {
  const ends = (retention.purposes ?? [])
    .filter((one) => isPurposeWithin(purpose, one.purpose))
    .map((one) => shorterEnd(retention, one))
  return earliest([retentionEnd(retention), ...ends])
}

/** The moment at which a column ends: that of its category, at the latest that of the data set. */
export function columnEnd({ retention, columns }: RetainedTerms, name: string): Instant {
  const category = columns.find((column) => column.name === name)?.category
  const ends = (retention.categories ?? [])
    .filter((one) => one.category === category)
    .map((one) => shorterEnd(retention, one))
  return earliest([retentionEnd(retention), ...ends])
}

/** Columns that have ended. */
export function endedColumns(terms: RetainedTerms, now: Instant): readonly string[] {
  if (terms.retention.categories === undefined && retentionEnd(terms.retention) > now) return []
  return terms.columns.map(({ name }) => name).filter((name) => columnEnd(terms, name) <= now)
}

/** The rows of a data set that are kept: those whose date, in this column, is this day or a later one. */
export interface KeptRows {
  readonly column: string
  /** `2026-01-31`. */
  readonly from: string
}

/** Which rows are kept at a moment where each ends by a date of its own; `undefined` where none does. A row without a date is not. */
export function keptRows(
  { retention }: Pick<RetainedTerms, 'retention'>,
  now: Instant,
): KeptRows | undefined {
  if (!retention.rows) return undefined
  const { column, period } = retention.rows
  const isOver = (day: Temporal.PlainDate) => periodEnd({ from: day.toString(), period }) <= now
  const today = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO('UTC').toPlainDate()
  // Months differ in length, so that counting back may come some days too early or too late.
  let day = today.subtract(Temporal.Duration.from(period))
  while (isOver(day)) day = day.add({ days: 1 })
  while (!isOver(day.subtract({ days: 1 }))) day = day.subtract({ days: 1 })
  return { column, from: day.toString() }
}

/** One clock of a data set: what ends when. */
export interface RetentionClock {
  readonly scope: 'all' | 'category' | 'purpose'
  /** The category or purpose. */
  readonly name?: string
  readonly columns?: readonly string[]
  readonly period: string
  readonly endsAt: Instant
}

/** Every clock of a data set, the earliest first. */
export function retentionClocks({ retention, columns }: RetainedTerms): readonly RetentionClock[] {
  const clocks: RetentionClock[] = [
    { scope: 'all', period: retention.period, endsAt: retentionEnd(retention) },
    ...(retention.categories ?? []).map((one) => ({
      scope: 'category' as const,
      name: one.category,
      columns: columns.filter(({ category }) => category === one.category).map(({ name }) => name),
      period: one.period,
      endsAt: shorterEnd(retention, one),
    })),
    ...(retention.purposes ?? []).map((one) => ({
      scope: 'purpose' as const,
      name: one.purpose,
      period: one.period,
      endsAt: shorterEnd(retention, one),
    })),
  ]
  return clocks.toSorted((left, right) => left.endsAt - right.endsAt)
}

/** What does not hold together in the retention of a manifest. */
export function retentionProblems(
  { retention, columns }: RetainedTerms,
  {
    person,
  }: {
    readonly person: {
      readonly key: string
      readonly birthDate?: string | undefined
      readonly residence?: string | undefined
    }
  },
): { message: string; path: (string | number)[] }[] {
  const problems: { message: string; path: (string | number)[] }[] = []
  const say = (path: (string | number)[], message: string) =>
    problems.push({ message, path: ['retention', ...path] })
  const needed = [person.key, person.birthDate, person.residence]
  for (const [index, one] of (retention.categories ?? []).entries()) {
    const own = columns.filter(({ category }) => category === one.category)
    if (own.length === 0) say(['categories', index, 'category'], 'expected the category of a column')
    if (own.some(({ name }) => needed.includes(name)))
      say(
        ['categories', index, 'category'],
        'expected no category of the columns that say who a person is, how old and where',
      )
    if (isLonger(retention, one)) say(['categories', index, 'period'], LONGER)
  }
  for (const [index, one] of (retention.purposes ?? []).entries())
    if (isLonger(retention, one)) say(['purposes', index, 'period'], LONGER)
  return problems
}

/** What does not hold together where each row ends by a date of its own. */
export function rowEndProblems({
  retention,
  columns,
}: {
  readonly retention: Retention
  readonly columns: readonly {
    readonly name: string
    readonly type: string
    readonly category?: string | undefined
    readonly sensitivity: string
    readonly isRequired: boolean
  }[]
}): { message: string; path: (string | number)[] }[] {
  if (!retention.rows) return []
  const column = columns.find(({ name }) => name === retention.rows?.column)
  const isDate = column?.type === 'date' || column?.type === 'timestamp'
  const isSealed = column?.sensitivity === 'direct_identifier' || column?.sensitivity === 'free_text'
  const isEmptied = (retention.categories ?? []).some(({ category }) => category === column?.category)
  const message = !isDate
    ? 'expected a column of dates or timestamps'
    : !column?.isRequired
      ? 'expected a column with isRequired, because a row without a date could not be kept'
      : isSealed
        ? 'expected a column that is no direct identifier and no free text'
        : isEmptied
          ? 'expected no column of a category that ends before the data set'
          : undefined
  return message === undefined ? [] : [{ message, path: ['retention', 'rows', 'column'] }]
}

const LONGER = 'expected an end not after that of the data set'

function isLonger(retention: Retention, one: { period: string; from?: string | undefined }): boolean {
  try {
    return shorterEnd(retention, one) > retentionEnd(retention)
  } catch (error) {
    // What is no period or no day is said of the field itself.
    if (error instanceof RangeError) return false
    throw error
  }
}

function shorterEnd(retention: Retention, one: { period: string; from?: string | undefined }): Instant {
  return periodEnd({ from: one.from ?? retention.from, period: one.period })
}

function earliest(ends: readonly Instant[]): Instant {
  return ends.reduce((first, end) => (end < first ? end : first))
}
