/** Columns by data set. */
export type ColumnNames = ReadonlyMap<string, ReadonlySet<string>>

/** Of one data set, what questions decided by, what they chose people by without telling these apart, and what they summed. */
export type NotedColumns = Readonly<Record<keyof typeof MARKS, readonly string[]>>

/** How columns are noted beside whom questions told apart: in the place of row shapes, which these partitions have none of. */
const MARKS = { decided: 'by ', untold: 'untold ', summed: 'sum ' } as const

/** Nothing is to be looked up behind these names. */
const NOTED = '1'

/** That notes are kept, since the first answer that has this. */
const SINCE = 'since the first answer'

/** In the place of a column: whatever could be summed. */
const ANYTHING = '*'

type Notes = ReadonlyMap<string, string>

/** Notes from before a question. Of answers from before notes were kept it is not known what they summed, so it may be anything. */
export function notesBefore(notes: Notes, hadAnswers: boolean): Map<string, string> {
  const all = new Map(notes)
  if (hadAnswers && !notes.has(SINCE)) all.set(MARKS.summed + ANYTHING, NOTED)
  return all.set(SINCE, NOTED)
}

/** Notes with those of a question. */
export function withNoted(notes: Notes, columns: NotedColumns): Map<string, string> {
  const all = new Map(notes)
  for (const mark of ['decided', 'untold', 'summed'] as const)
    for (const name of columns[mark]) all.set(MARKS[mark] + name, NOTED)
  return all
}

/** Whether there are sums of a column that was decided by, or that people were chosen by without being told apart. */
export function isSummed(notes: Notes, mark: 'decided' | 'untold'): boolean {
  const keys = [...notes.keys()]
  if (mark === 'decided' && notes.has(MARKS.summed + ANYTHING))
    return keys.some((key) => key.startsWith(MARKS.decided))
  return keys.some(
    (key) => key.startsWith(MARKS.summed) && notes.has(MARKS[mark] + key.slice(MARKS.summed.length)),
  )
}
