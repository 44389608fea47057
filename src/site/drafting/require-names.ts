import { unusableFile } from '../datasets/import-problem.ts'
import type { ColumnFacts } from './column-facts.ts'

/** What no name of a column looks like: a number, a day, an address. */
const DATA = /^[+-]?[\d.,' ]+%?$|^\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|@.+\.|^(true|false)$/i

/**
 * Refuses a first line that seems to be somebody's data: names of columns are written into a manifest, which others read. It is told by
 * its place only. A line of words that come nowhere again cannot be told from names. Whoever knows that the line has names may say so.
 *
 * @throws Fault `fault.import_malformed`
 */
export function requireNames(
  names: readonly string[],
  { facts = [], hasNames = false }: { facts?: readonly ColumnFacts[]; hasNames?: boolean | undefined },
): void {
  const index = names.findIndex((name, at) => DATA.test(name.trim()) || facts[at]?.repeatsName === true)
  if (index !== -1 && !hasNames)
    throw unusableFile(
      `line 1, field ${index + 1} seems to be a value and no name: put a line with the names of the columns before the others; where line 1 has names that look so, such as years, say --has-names`,
    )
  const empty = names.findIndex((name) => name.trim() === '')
  if (empty !== -1) throw unusableFile(`line 1, field ${empty + 1} is empty: give the column a name`)
  const twice = names.findIndex((name, at) => names.indexOf(name) !== at)
  if (twice !== -1)
    throw unusableFile(`line 1, field ${twice + 1} has the name of another column: give it one of its own`)
}
