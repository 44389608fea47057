import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import type { ImportReader } from '../datasets/import-reader.ts'
import { runOwn } from '../vault/own-sql.ts'
import type { SeenColumn, SeenFile } from './see-file.ts'

/** Bounds are made of what so many rows reach or pass, so that they tell nothing of the one that reaches furthest. */
const ROWS_AT_END = 20

/** Between which numbers all but the furthest few values of each text are; `undefined` where there are too few to say. */
export async function measureRanges(
  { connection }: ImportReader,
  { seen, texts }: { seen: SeenFile; texts: readonly RawBuilder<unknown>[] },
): Promise<readonly ({ readonly low: number; readonly high: number } | undefined)[]> {
  if (texts.length === 0) return []
  const numbers = texts.map((text, index) => sql`try_cast(${text} as double) as ${sql.id(`n${index}`)}`)
  const ends = texts.flatMap((_, index) => {
    const finite = sql`${sql.id(`n${index}`)}, ${sql.lit(ROWS_AT_END)}`
    const isFinite = sql`filter (where isfinite(${sql.id(`n${index}`)}))`
    return [sql`min(${finite}) ${isFinite}`, sql`max(${finite}) ${isFinite}`]
  })
  const found = await runOwn(
    connection,
    sql`select ${sql.join(ends)} from (select ${sql.join(numbers)} from ${seen.relation})`,
  )
  const row = found.getRowsJson()[0] ?? []
  return texts.map((_, index) => {
    const [low, high] = [lastOf(row[2 * index]), lastOf(row[2 * index + 1])]
    // Of too few rows both ends are the same few, turned round: each is then what a single one of them has.
    return low === undefined || high === undefined || low > high ? undefined : { low, high }
  })
}

function lastOf(list: unknown): number | undefined {
  const last: unknown = Array.isArray(list) && list.length === ROWS_AT_END ? list.at(-1) : undefined
  return typeof last === 'number' ? last : undefined
}

/** The most rows that one value of a column has; `undefined` where there are more of them than fit into memory. */
export async function measureRowsMost(
  { connection }: ImportReader,
  { seen, column }: { seen: SeenFile; column: SeenColumn },
): Promise<number | undefined> {
  const counts = sql`select count(*) as rows from ${seen.relation} where ${column.text} is not null group by ${column.text}`
  try {
    const found = await runOwn(connection, sql`select max(rows)::double from (${counts})`)
    const most = Number(found.getRows()[0]?.[0] ?? 0)
    return most > 0 ? most : undefined
  } catch (error) {
    if (error instanceof Error && /Out of Memory/i.test(error.message)) return undefined
    throw error
  }
}
