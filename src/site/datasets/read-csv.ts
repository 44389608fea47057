import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import { SEPARATORS } from '../../protocol/csv-form.ts'
import type { CsvForm } from '../../protocol/csv-form.ts'
import type { Column, Manifest } from '../../protocol/data-set.ts'
import { unusableFile } from './import-problem.ts'
import { pathField } from './path-field.ts'
import { helpingOption, readAs } from './read-as.ts'
import { sourceName, textField } from './source-field.ts'
import type { ImportSource, SourceField } from './source-field.ts'
import { readHeader } from './read-text.ts'

/**
 * CSV as RFC 4180 has it: UTF-8, commas, double quotes, one header line. Every field is read as a text, and a type is
 * then asked of the text, so that no line is lost to a type error before its number is known. An empty field is null. What
 * a file has otherwise is said by its form, and turned into this one as it is read (`read-as.ts`).
 */
export async function csvSource({
  path,
  isPacked,
  manifest,
  form = {},
}: {
  path: string
  isPacked: boolean
  manifest: Manifest
  form?: CsvForm | undefined
}): Promise<ImportSource> {
  const names = [...new Set(manifest.columns.map(sourceName))]
  const { separator = 'comma' } = form
  const header = await readHeader(path, { isPacked, names, separator })
  requireColumns(header, names)
  const fields = manifest.columns.map((column) =>
    fieldOf(column, {
      form,
      text: sql.id(`c${header.indexOf(sourceName(column))}`),
      isKey: column.name === manifest.person.key,
    }),
  )
  const relation = readCsv({ path, isPacked, fieldCount: header.length, separator })
  return { format: 'csv', isPacked, relation, fields }
}

function fieldOf(
  column: Column,
  { form, text, isKey }: { form: CsvForm; text: RawBuilder<unknown>; isKey: boolean },
): SourceField {
  if (column.path) return pathField(column, readAs(form, { type: 'json' }, text))
  return {
    ...textField(column, readAs(form, column, text), { isKey }),
    help: helpingOption(form, column, text),
  }
}

/** The engine's reader, every field as a text `c0`, `c1` …; lines of another shape go to its table `reject_errors`. */
export function readCsv({
  path,
  isPacked,
  fieldCount,
  separator,
}: {
  path: string
  isPacked: boolean
  fieldCount: number
  separator: keyof typeof SEPARATORS
}): RawBuilder<unknown> {
  const columns = Array.from({ length: fieldCount }, (_, index) => sql.raw(`'c${index}': 'VARCHAR'`))
  return sql`read_csv(${sql.lit(path)}, auto_detect = false, header = true, delim = ${sql.lit(SEPARATORS[separator])}, quote = '"', escape = '"',
    columns = {${sql.join(columns)}}, compression = ${sql.lit(isPacked ? 'gzip' : 'none')}, store_rejects = true)`
}

/**
 * The file has exactly the manifest's columns, in any order. An unknown one is named by its place and not by its name:
 * in a file without a header the first line is somebody's data.
 */
function requireColumns(header: readonly string[], wanted: readonly string[]): void {
  const problems = [
    ...header.flatMap((name, index) => {
      const place = `line 1, field ${index + 1}`
      if (!wanted.includes(name))
        return [{ field: place, expected: 'expected the name of a column in the manifest' }]
      return header.indexOf(name) < index ? [{ field: place, expected: `expected "${name}" only once` }] : []
    }),
    ...wanted
      .filter((name) => !header.includes(name))
      .map((name) => ({ field: 'line 1', expected: `expected a column "${name}"` })),
  ]
  const [first] = problems
  if (first) throw unusableFile(`${first.field}: ${first.expected}`, problems)
}
