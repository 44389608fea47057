import { z } from 'zod'

/** What stands between fields. */
export const SEPARATORS = { comma: ',', semicolon: ';', tab: '\t', pipe: '|' } as const
/** What begins the decimals of a number. */
export const DECIMALS = { point: '.', comma: ',' } as const
/** What groups the thousands of a number. */
export const THOUSANDS = { point: '.', comma: ',', space: ' ', apostrophe: "'" } as const

/** Ways to write a date that tell day and month apart, with a year of four digits; `dd` and `d` are one or two digits alike. */
const DATES = /^(dd?([./-])mm?\2yyyy|mm?([./-])dd?\3yyyy|yyyy([./-])mm?\4dd?|yyyymmdd|ddmmyyyy|mmddyyyy)$/

const WORD_COUNT_MAX = 50

const wordsSchema = z
  .string()
  .min(1, 'expected words such as yes,ja')
  .max(500, 'expected at most 500 characters')
  .refine((text) => wordsOf(text).length <= WORD_COUNT_MAX, `expected at most ${WORD_COUNT_MAX} words`)

/**
 * How a CSV file is written where that is not as RFC 4180 and ISO 8601 have it; each field that is absent is. The names are those that
 * readers of CSV have in common (`sep`, `decimal`, `thousands`, `encoding` of pandas; `missingValues`, `trueValues` of Table Schema).
 */
export const csvFormShape = {
  /** Between fields. Absent: `comma`. */
  separator: z
    .literal(keysOf(SEPARATORS), { error: `expected one of ${keysOf(SEPARATORS).join(', ')}` })
    .optional(),
  /** Before the decimals of a number. Absent: `point`. */
  decimal: z
    .literal(keysOf(DECIMALS), { error: `expected one of ${keysOf(DECIMALS).join(', ')}` })
    .optional(),
  /** Between thousands of a number. Absent: nothing. */
  thousands: z
    .literal(keysOf(THOUSANDS), { error: `expected one of ${keysOf(THOUSANDS).join(', ')}` })
    .optional(),
  /** How dates are written, and those of times: `dd.mm.yyyy`. Absent: `yyyy-mm-dd`. */
  dates: z
    .string()
    .max(20)
    .regex(DATES, 'expected a form with a year of four digits, such as dd.mm.yyyy or mm/dd/yyyy')
    .optional(),
  /** Words that stand for true, with commas between them, in small or capital letters. */
  true: wordsSchema.optional(),
  /** Words that stand for false. */
  false: wordsSchema.optional(),
  /** Words that stand where there is no value. Absent: only the empty field. */
  missing: wordsSchema.optional(),
  /** A name of the Encoding Standard (WHATWG). Absent: `utf-8`. */
  encoding: z
    .string()
    .max(40)
    .refine(isEncoding, 'expected an encoding such as utf-8, windows-1252, iso-8859-15 or utf-16le')
    .optional(),
} as const

const csvFormSchema = z.strictObject(csvFormShape)
export type CsvForm = z.infer<typeof csvFormSchema>

/** The options, in the order in which they are told. */
export const CSV_OPTIONS = Object.keys(csvFormShape) as readonly (keyof CsvForm)[]

/** What contradicts itself in a form whose fields are right each. */
export function csvFormProblems(form: CsvForm): { message: string; path: (keyof CsvForm)[] }[] {
  const problems: { message: string; path: (keyof CsvForm)[] }[] = []
  const isOneSign = form.thousands !== undefined && form.thousands === (form.decimal ?? 'point')
  if (isOneSign)
    problems.push({ message: 'expected another sign than that of the decimals', path: ['thousands'] })
  const [yes, no] = [foldedWords(form.true), foldedWords(form.false)]
  if (yes.some((word) => no.includes(word)))
    problems.push({ message: 'expected other words than those for true', path: ['false'] })
  const missing = wordsOf(form.missing).map((word) => word.toLowerCase())
  if (missing.some((word) => yes.includes(word) || no.includes(word)))
    problems.push({ message: 'expected other words than those for true and false', path: ['missing'] })
  return problems
}

/** The fields that say something, in a fixed order; `undefined` of a file that is written as is expected anyway. */
export function saidForm(form: CsvForm): CsvForm | undefined {
  const plain: CsvForm = { separator: 'comma', decimal: 'point', dates: 'yyyy-mm-dd' }
  const said = CSV_OPTIONS.flatMap((name): [string, unknown][] => {
    const value = name === 'encoding' ? saidEncoding(form.encoding) : form[name]
    return value === undefined || value === plain[name] ? [] : [[name, value]]
  })
  return said.length === 0 ? undefined : csvFormSchema.parse(Object.fromEntries(said))
}

/**
 * The same for all forms by which a file says the same: `d.m.yyyy` and `dd.mm.yyyy`, words in another order. By it a batch is known again.
 */
export function alikeForm(form: CsvForm): CsvForm | undefined {
  const { dates, missing, ...rest } = form
  const words = (['true', 'false'] as const).flatMap((name): [string, string][] =>
    form[name] === undefined ? [] : [[name, inOrder(foldedWords(form[name]))]],
  )
  return saidForm({
    ...rest,
    ...Object.fromEntries(words),
    ...(missing === undefined ? {} : { missing: inOrder(wordsOf(missing)) }),
    ...(dates === undefined ? {} : { dates: dates.replace(/\bdd?\b/, 'dd').replace(/\bmm?\b/, 'mm') }),
  })
}

function inOrder(words: readonly string[]): string {
  return [...new Set(words)].toSorted().join(',')
}

/** The words of a list. */
export function wordsOf(text: string | undefined): readonly string[] {
  return (text ?? '').split(',').filter((word) => word !== '')
}

/** The same for words whose letters may be small or capital. */
export function foldedWords(text: string | undefined): readonly string[] {
  return wordsOf(text).map((word) => word.toLowerCase())
}

function isEncoding(label: string): boolean {
  try {
    return new TextDecoder(label).encoding !== ''
  } catch {
    return false
  }
}

/** By the one name that an encoding has; UTF-8 needs not be said. */
function saidEncoding(label: string | undefined): string | undefined {
  const name = label === undefined ? 'utf-8' : new TextDecoder(label).encoding
  return name === 'utf-8' ? undefined : name
}

function keysOf<K extends string>(table: Readonly<Record<K, string>>): readonly K[] {
  return Object.keys(table) as K[]
}
