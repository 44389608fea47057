import { SEPARATORS, saidForm } from '../../protocol/csv-form.ts'
import type { CsvForm } from '../../protocol/csv-form.ts'
import { isGzip, readBytes } from '../datasets/read-text.ts'
import type { ColumnFacts, Shape } from './column-facts.ts'

const LOOKED_AT_BYTES = 8 << 20

/** In which encoding a text seems to be: by the mark that it begins with, else UTF-8 where its beginning is, else what spreadsheets of Western Europe write. */
export async function guessEncoding(path: string): Promise<string> {
  const isPacked = await isGzip(path)
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  let seen = 0
  for await (const bytes of readBytes(path, { isPacked })) {
    if (seen === 0 && bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
    if (seen === 0 && bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
    try {
      utf8.decode(bytes, { stream: true })
    } catch {
      return 'windows-1252'
    }
    seen += bytes.length
    if (seen > LOOKED_AT_BYTES) break
  }
  return 'utf-8'
}

/** What separates the names of a first line: the sign that stands in it most often outside of quotes. */
export function guessSeparator(line: string): keyof typeof SEPARATORS {
  const bare = line.replaceAll(/"(?:[^"]|"")*"/g, '')
  const names = Object.keys(SEPARATORS) as (keyof typeof SEPARATORS)[]
  const countOf = (name: keyof typeof SEPARATORS) => bare.split(SEPARATORS[name]).length - 1
  return names.reduce((best, name) => (countOf(name) > countOf(best) ? name : best), 'comma')
}

/** The form that the columns of a CSV file seem to have, and what no value tells. */
export interface GuessedForm {
  readonly form: CsvForm
  readonly doubts: readonly string[]
}

/** How numbers, dates and words seem to be written. Whatever was said is not guessed. */
export function guessForm(facts: readonly ColumnFacts[], typed: CsvForm): GuessedForm {
  const said = saidForm(typed) ?? {}
  const doubts: string[] = []
  const decimal = said.decimal ?? guessDecimal(facts, said.separator ?? 'comma')
  const thousands = said.thousands ?? guessThousands(facts, decimal)
  const dates = said.dates ?? guessDates(facts, doubts)
  const words = said.true === undefined && said.false === undefined ? guessWords(facts) : {}
  const measured = facts.filter((one) => isAll(one, ...NUMBERS) || isAll(one, ...DATED))
  const missing = [...new Set(measured.flatMap((one) => one.missing))].toSorted()
  return {
    form: {
      ...(decimal === 'comma' ? { decimal } : {}),
      ...(thousands === undefined ? {} : { thousands }),
      ...(dates === undefined ? {} : { dates }),
      ...(missing.length === 0 ? {} : { missing: missing.join(',') }),
      ...words,
      ...said,
    },
    doubts,
  }
}

/** Whether all values of a column have one of these shapes, and there are some. */
export function isAll({ values, shapes }: ColumnFacts, ...some: readonly Shape[]): boolean {
  return values > 0 && some.some((shape) => shapes[shape] === values)
}

/** Shapes of numbers, in any form. */
export const NUMBERS: readonly Shape[] = [
  'whole',
  'point',
  'comma',
  'byPoint',
  'byComma',
  'bySpace',
  'byApostrophe',
]

/** Shapes of days and times. */
export const DATED: readonly Shape[] = [
  ...(['iso', 'isoTime', 'dotDay', 'slashDay', 'dashDay', 'dotTime', 'slashTime', 'dashTime'] as const),
  ...(['dotYearFirst', 'slashYearFirst'] as const),
]

function guessDecimal(facts: readonly ColumnFacts[], separator: keyof typeof SEPARATORS): 'comma' | 'point' {
  const withComma = facts.filter((one) => isAll(one, 'comma', 'byPoint') && one.shapes.hasComma > 0)
  // `1,234` alone may be a thousand and more; where fields are separated by semicolons, it is decimals.
  const isSure = withComma.some((one) => one.shapes.hasComma > one.shapes.commaOfThree)
  return isSure || (withComma.length > 0 && separator === 'semicolon') ? 'comma' : 'point'
}

function guessThousands(facts: readonly ColumnFacts[], decimal: 'comma' | 'point'): CsvForm['thousands'] {
  const plain = decimal === 'comma' ? 'comma' : 'point'
  const needs = (shape: Shape) => facts.some((one) => isAll(one, shape) && !isAll(one, plain))
  if (decimal === 'comma' && needs('byPoint')) return 'point'
  if (decimal === 'point' && needs('byComma')) return 'comma'
  if (needs('bySpace')) return 'space'
  return needs('byApostrophe') ? 'apostrophe' : undefined
}

const SIGNS = { dot: '.', slash: '/', dash: '-' } as const

function guessDates(facts: readonly ColumnFacts[], doubts: string[]): string | undefined {
  for (const name of ['dot', 'slash', 'dash'] as const) {
    const sign = SIGNS[name]
    const dated = facts.filter((one) => isAll(one, `${name}Day`, `${name}Time`))
    if (dated.length > 0) {
      const isDayFirst = dated.some(({ shapes }) => shapes[`${name}DayFirst`] > 0)
      const isMonthFirst = dated.some(({ shapes }) => shapes[`${name}MonthFirst`] > 0)
      const forms = [`dd${sign}mm${sign}yyyy`, `mm${sign}dd${sign}yyyy`] as const
      if (isMonthFirst && !isDayFirst) return forms[1]
      // Where dots stand between, the day comes first everywhere.
      if (name !== 'dot' && isDayFirst === isMonthFirst)
        doubts.push(
          `no value tells whether dates are ${forms.join(' or ')}: look it up, and say it with --dates, or days become months`,
        )
      return forms[0]
    }
    if (name !== 'dash' && facts.some((one) => isAll(one, `${name}YearFirst`)))
      return `yyyy${sign}mm${sign}dd`
  }
  return undefined
}

/** Words for true and false that belong together, by the shape of both. */
export const BOOLEAN_WORDS = [
  ['jaNein', 'ja,j', 'nein,n'],
  ['yesNo', 'yes,y', 'no,n'],
  ['ouiNon', 'oui,o', 'non,n'],
  ['siNo', 'si,sí,s', 'no,n'],
  ['wahrFalsch', 'wahr,w', 'falsch,f'],
  ['vraiFaux', 'vrai,v', 'faux,f'],
] as const

function guessWords(facts: readonly ColumnFacts[]): Pick<CsvForm, 'true' | 'false'> {
  const pairs = BOOLEAN_WORDS.filter(([shape]) => facts.some((one) => isAll(one, shape)))
  // Words of several languages in one file would have to be said by whoever knows them.
  const [first] = pairs
  return first ? { true: first[1], false: first[2] } : {}
}
