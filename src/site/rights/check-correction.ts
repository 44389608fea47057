import type { Instant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import type { FieldProblem } from '../../kernel/faults.ts'
import { isScalarType, keyColumnsOf } from '../../protocol/data-set.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { endedColumns } from '../../protocol/law/retention.ts'
import type { ColumnValues } from '../../protocol/rights/restriction.ts'
import { expectedValue, isOfColumn } from '../datasets/column-value.ts'
import { isSealed } from '../vault/stored-columns.ts'

/**
 * Refuses a correction that does not fit the manifest, naming each column. The key that names the person is no value
 * to correct: another key is another person.
 *
 * @throws Fault `fault.request_malformed`
 */
export function checkCorrection(manifest: Manifest, correction: CheckedCorrection): void {
  const problems = correctionProblems(manifest, correction)
  if (problems.length === 0) return
  throw new Fault('fault.request_malformed', {
    what: 'Cannot correct: some columns or values are not those of the data set',
    errors: problems,
  })
}

interface CheckedCorrection {
  readonly set: ColumnValues
  readonly where: ColumnValues
  readonly now: Instant
}

/** What of a correction does not fit the manifest. */
export function correctionProblems(
  manifest: Manifest,
  { set, where, now }: CheckedCorrection,
): readonly FieldProblem[] {
  const problems: FieldProblem[] = []
  const keys = keyColumnsOf(manifest)
  const ended = endedColumns(manifest, now)
  if (Object.keys(set).length === 0) problems.push({ field: 'set', expected: 'expected at least one column' })
  for (const [name, value] of Object.entries(set)) {
    const column = manifest.columns.find((known) => known.name === name)
    const field = `set.${name}`
    if (!column || keys.includes(name))
      problems.push({ field, expected: 'expected a column of the data set that is no person’s key' })
    else if (ended.includes(name))
      problems.push({
        field,
        expected: 'expected a column that is still kept; the retention of this one has ended',
      })
    else if (value === null && column.isRequired)
      problems.push({ field, expected: 'expected a value; the column may not be empty' })
    else if (!isOfColumn(value, column)) problems.push({ field, expected: expectedValue(column) })
  }
  for (const [name, value] of Object.entries(where)) {
    const column = manifest.columns.find((known) => known.name === name)
    const field = `where.${name}`
    if (!column || keys.includes(name) || isSealed(column) || ended.includes(name))
      problems.push({ field, expected: 'expected a column of the data set that is not sealed' })
    else if (!isScalarType(column.type))
      problems.push({ field, expected: 'expected a column of single values' })
    else if (!isOfColumn(value, column)) problems.push({ field, expected: expectedValue(column) })
  }
  return problems
}
