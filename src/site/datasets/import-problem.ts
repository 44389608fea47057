import { Fault } from '../../kernel/faults.ts'
import type { FieldProblem } from '../../kernel/faults.ts'
import { LIMITS } from '../../kernel/limits.ts'

/** A file that cannot be imported as a whole, said in one sentence; nothing was taken. */
export function unusableFile(why: string, errors: readonly FieldProblem[] = []): Fault {
  return new Fault('fault.import_malformed', {
    what: `Cannot import the file: ${why}; nothing was taken`,
    errors: errors.slice(0, LIMITS.importLineProblemsReportedMax),
  })
}

/** One thing wrong in a line. It names the place and what was expected, never the value. */
export interface LineProblem {
  /** Line of the file, from 1, as an editor counts; for Parquet the row. */
  readonly line: number
  /** As the file calls it; absent: the line as a whole. */
  readonly column?: string | undefined
  readonly expected: string
}

/** Bad lines as one fault: the first few by line, column and what was expected, and how many problems there are in all. */
export function malformedLines(
  problems: readonly LineProblem[],
  { total, unit }: { total: number; unit: 'line' | 'row' },
): Fault {
  const errors = problems.map(({ line, column, expected }) => ({
    field: column === undefined ? `${unit} ${line}` : `${unit} ${line}, column "${column}"`,
    expected,
  }))
  const [first] = errors
  const place = first ? `${first.field}: ${first.expected}` : 'the file is not what the manifest says'
  const others = total > 1 ? ` (and ${total - 1} more)` : ''
  return unusableFile(`${place}${others}`, errors)
}
