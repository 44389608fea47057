import type { Command } from 'commander'
import { z } from 'zod'
import { describeProblems, parseWith } from '../../kernel/parse.ts'
import {
  CSV_OPTIONS,
  DECIMALS,
  SEPARATORS,
  THOUSANDS,
  csvFormProblems,
  csvFormShape,
} from '../../protocol/csv-form.ts'
import type { CsvForm } from '../../protocol/csv-form.ts'
import { WrongUse } from '../failures.ts'
import { shellWord } from '../shell-word.ts'

/** What was typed of how a CSV file is written. */
export type CsvOptions = { readonly [K in keyof CsvForm]: string | undefined }

/** The options of a verb that reads a CSV file. */
export function addCsvOptions(command: Command): Command {
  return command
    .option('--separator <sign>', `of CSV: ${Object.keys(SEPARATORS).join(', ')}, or the sign; absent: comma`)
    .option('--decimal <sign>', `of CSV: ${Object.keys(DECIMALS).join(' or ')}; absent: point`)
    .option('--thousands <sign>', `of CSV: ${Object.keys(THOUSANDS).join(', ')}; absent: none`)
    .option('--dates <form>', 'of CSV: how dates are written, such as dd.mm.yyyy; absent: yyyy-mm-dd')
    .option('--true <words>', 'of CSV: words for true, such as ja,x; absent: true')
    .option('--false <words>', 'of CSV: words for false; absent: false')
    .option(
      '--missing <words>',
      'of CSV: words where there is no value, such as NA,k.A.; the empty field always',
    )
    .option('--encoding <name>', 'of CSV: such as windows-1252, utf-16le; absent: utf-8')
}

/** A CSV file’s form as it was typed: signs may stand for their names. */
export function csvFormOf(options: CsvOptions): CsvForm {
  const named = (table: Readonly<Record<string, string>>, text: string | undefined) => {
    const sign = text === '\\t' ? '\t' : text
    return Object.entries(table).find(([, one]) => one === sign)?.[0] ?? text
  }
  const typed = Object.fromEntries(CSV_OPTIONS.map((name) => [name, options[name]]))
  const parsed = parseWith(z.strictObject(csvFormShape), {
    ...typed,
    separator: named(SEPARATORS, options.separator),
    decimal: named(DECIMALS, options.decimal),
    thousands: named(THOUSANDS, options.thousands),
    dates: options.dates?.toLowerCase(),
  })
  const problems = parsed.ok
    ? csvFormProblems(parsed.value).map(({ message, path: [field = ''] }) => ({ field, expected: message }))
    : parsed.error
  if (problems.length > 0 || !parsed.ok)
    throw new WrongUse(
      `Cannot read CSV so: ${describeProblems(problems.map((one) => ({ ...one, field: `--${one.field}` })))}`,
    )
  return parsed.value
}

/** The form as one would type it. */
export function csvOptionsText(form: CsvForm): string {
  return CSV_OPTIONS.flatMap((name) => {
    const value = form[name]
    return value === undefined ? [] : [`--${name} ${shellWord(value)}`]
  }).join(' ')
}
