import { CSV_OPTIONS } from '../../protocol/csv-form.ts'
import type { CsvForm } from '../../protocol/csv-form.ts'
import { IMPORT_FORMATS } from '../../protocol/http/data-set-api.ts'
import type { ImportFormat } from '../../protocol/http/data-set-api.ts'
import { WrongUse } from '../failures.ts'

/** The format of a file, as it was said or by the ending of its name. */
export function formatOf(file: string, flag: string | undefined): ImportFormat {
  const ending = /\.(csv|ndjson|jsonl|parquet)(\.gz)?$/i.exec(file)?.[1]?.toLowerCase()
  const name = flag ?? (ending === 'jsonl' ? 'ndjson' : ending)
  const format = IMPORT_FORMATS.find((one) => one === name)
  if (!format) throw new WrongUse(unknownFormat(file))
  return format
}

function unknownFormat(file: string): string {
  const expected = `expected one of ${IMPORT_FORMATS.join(', ')}`
  if (/\.(xlsx?|xlsm|ods|numbers)$/i.test(file))
    return `Cannot read "${file}": it is a spreadsheet; save it as CSV (UTF-8) first`
  if (/\.json(\.gz)?$/i.test(file))
    return `Say the format of "${file}" with --format: ndjson where it has one object a line; a list is written so by: jq -c ".[]" FILE > NEW-FILE.ndjson`
  return `Say the format of "${file}" with --format: ${expected}`
}

/** The form of a CSV file; other formats say themselves how they are written. */
export function formOfFormat(format: ImportFormat, form: CsvForm): CsvForm {
  const [said] = CSV_OPTIONS.filter((name) => form[name] !== undefined)
  if (format !== 'csv' && said !== undefined)
    throw new WrongUse(`Cannot use --${said} with ${format}: only CSV is read by it`)
  return form
}
