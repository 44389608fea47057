/** Columns by data set. */
export type ColumnNames = ReadonlyMap<string, ReadonlySet<string>>

/** Of one data set, what questions decided by, what they chose people by without telling these apart, and what they summed. */
export type NotedColumns = Readonly<Record<keyof typeof MARKS, readonly string[]>>

/** How columns are noted beside whom questions told apart: in the place of row shapes, which these partitions have none of. */
const MARKS = { decided: 'by ', untold: 'untold ', summed: 'sum ' } as const

/** Nothing is to be looked up behind these names. */
const NOTED = '1'

type Notes = ReadonlyMap<string, string>

/** Notes with those of a question. */
export function withNoted(notes: Notes, columns: NotedColumns): Map<string, string> {
  const all = new Map(notes)
  for (const mark of ['decided', 'untold', 'summed'] as const)
    for (const name of columns[mark]) all.set(MARKS[mark] + name, NOTED)
  return all
}

/** Whether there are sums of a column that was decided by, or that people were chosen by without being told apart. */
export function isSummed(notes: Notes, mark: 'decided' | 'untold'): boolean {
  return [...notes.keys()].some(
    (key) => key.startsWith(MARKS.summed) && notes.has(MARKS[mark] + key.slice(MARKS.summed.length)),
  )
}
