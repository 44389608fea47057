import { unusableFile } from '../datasets/import-problem.ts'
import type { ImportFormat } from '../../protocol/http/data-set-api.ts'
import { IDENTIFIERS } from './column-facts.ts'
import type { ColumnFacts } from './column-facts.ts'

/** What no name of a column looks like: a number, a day, an address. */
const DATA = /^[+-]?[\d.,' ]+%?$|^\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|@.+\.|^(true|false)$/i
const IDENTIFYING = Object.values(IDENTIFIERS).map((shape) => new RegExp(`^(?:${shape})$`))

/**
 * Refuses names that seem to be somebody's data: names of columns are written into a manifest, which others read. Such a one is told by
 * its place only. A line of words that come nowhere again cannot be told from names. Whoever knows that they are names may say so. Only
 * CSV may have no names at all; what other formats call a column may be a year or a day, and an address of somebody hardly.
 *
 * @throws Fault `fault.import_malformed`
 */
export function requireNames(
  names: readonly string[],
  {
    format,
    facts = [],
    hasNames = false,
  }: { format: ImportFormat; facts?: readonly ColumnFacts[]; hasNames?: boolean | undefined },
): void {
  const placeOf = PLACES[format]
  const isIdentifying = (name: string) => IDENTIFYING.some((shape) => shape.test(name.trim()))
  const isData = (name: string, at: number) => DATA.test(name.trim()) || facts[at]?.repeatsName === true
  const index = names.findIndex((name, at) => isIdentifying(name) || (format === 'csv' && isData(name, at)))
  if (index !== -1 && !hasNames)
    throw unusableFile(`${placeOf(index)} seems to be a value and no name: ${REMEDIES[format]}`)
  const unusable = names.findIndex((name) => name.includes('\0'))
  if (unusable !== -1) throw unusableFile(`${placeOf(unusable)} has a sign in it that no name has`)
  if (format !== 'csv') return
  const empty = names.findIndex((name) => name.trim() === '')
  if (empty !== -1) throw unusableFile(`${placeOf(empty)} is empty: give the column a name`)
  const twice = names.findIndex((name, at) => names.indexOf(name) !== at)
  if (twice !== -1)
    throw unusableFile(`${placeOf(twice)} has the name of another column: give it one of its own`)
}

const PLACES: Readonly<Record<ImportFormat, (index: number) => string>> = {
  csv: (index) => `line 1, field ${index + 1}`,
  ndjson: (index) => `member ${index + 1} of its objects, by the order of their names,`,
  parquet: (index) => `column ${index + 1}`,
}

const REMEDIES: Readonly<Record<ImportFormat, string>> = {
  csv: 'put a line with the names of the columns before the others; where line 1 has names that look so, such as years, say --has-names',
  ndjson: 'give each person an object of their own; where names look so, say --has-names',
  parquet: 'give each person rows of their own; where names look so, say --has-names',
}
