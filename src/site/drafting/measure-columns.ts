import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import type { ImportReader } from '../datasets/import-reader.ts'
import { runOwn } from '../vault/own-sql.ts'
import { watched } from './draft-progress.ts'
import type { DraftWatch } from './draft-progress.ts'
import type { SeenColumn, SeenFile } from './see-file.ts'

/** Bounds are made of what so many people reach or pass, so that they tell nothing of the one that reaches furthest. */
const PEOPLE_AT_END = 20

/** Two numbers a column and person are kept while a part of the columns is measured. */
const COLUMNS_AT_ONCE = 8

/** Between which numbers all but those of the furthest few people are. */
export interface Range {
  readonly low: number
  readonly high: number
}

/**
 * The range of each text; `undefined` where there are too few people to say. A column of which it is not sure that it says who somebody is may
 * tell rows apart and no people, so of several the narrowest range is given: it is one that so many people reach, if any of them says it.
 */
export async function measureRanges(
  reader: ImportReader,
  {
    seen,
    texts,
    keys,
    watch,
  }: {
    seen: SeenFile
    texts: readonly RawBuilder<unknown>[]
    keys: readonly SeenColumn[]
    watch: DraftWatch
  },
): Promise<readonly (Range | undefined)[]> {
  if (keys.length === 0) return texts.map(() => undefined)
  const perKey = Math.ceil(texts.length / COLUMNS_AT_ONCE)
  const byKeys: (readonly (Range | undefined)[])[] = []
  for (const [index, key] of keys.entries()) {
    const ranges: (Range | undefined)[] = []
    for (let part = 0; part < perKey; part += 1) {
      const some = texts.slice(part * COLUMNS_AT_ONCE, (part + 1) * COLUMNS_AT_ONCE)
      const work = () => measureSome(reader, { seen, key, texts: some })
      const step = {
        ...watch,
        step: 'numbers',
        part: index * perKey + part,
        parts: keys.length * perKey,
      } as const
      ranges.push(...(await watched(reader, step, work)))
    }
    byKeys.push(ranges)
  }
  return texts.map((_, index) => narrowest(byKeys.map((ranges) => ranges[index])))
}

async function measureSome(
  { connection }: ImportReader,
  { seen, key, texts }: { seen: SeenFile; key: SeenColumn; texts: readonly RawBuilder<unknown>[] },
): Promise<readonly (Range | undefined)[]> {
  const numbers = texts.map((text, index) => sql`try_cast(${text} as double) as ${sql.id(`n${index}`)}`)
  const ofOne = texts.flatMap((_, index) => {
    const number = sql.id(`n${index}`)
    const isFinite = sql`filter (where isfinite(${number}))`
    return [
      sql`min(${number}) ${isFinite} as ${sql.id(`low${index}`)}`,
      sql`max(${number}) ${isFinite} as ${sql.id(`high${index}`)}`,
    ]
  })
  const ends = texts.flatMap((_, index) => [
    sql`min(${sql.id(`low${index}`)}, ${sql.lit(PEOPLE_AT_END)})`,
    sql`max(${sql.id(`high${index}`)}, ${sql.lit(PEOPLE_AT_END)})`,
  ])
  const found = await withinMemory(() =>
    runOwn(
      connection,
      sql`
        select ${sql.join(ends)} from (
          select ${sql.join(ofOne)} from (select ${key.text} as key, ${sql.join(numbers)} from ${seen.relation})
          where key is not null group by key)`,
    ),
  )
  const row = found?.getRowsJson()[0] ?? []
  return texts.map((_, index) => {
    const [low, high] = [lastOf(row[2 * index]), lastOf(row[2 * index + 1])]
    // Of too few people both ends are the same few, turned round: each is then what a single one of them has.
    return low === undefined || high === undefined || low > high ? undefined : { low, high }
  })
}

function lastOf(list: unknown): number | undefined {
  const last: unknown = Array.isArray(list) && list.length === PEOPLE_AT_END ? list.at(-1) : undefined
  return typeof last === 'number' ? last : undefined
}

function narrowest(ranges: readonly (Range | undefined)[]): Range | undefined {
  const known = ranges.filter((range) => range !== undefined)
  if (known.length < ranges.length) return undefined
  const low = Math.max(...known.map((range) => range.low))
  const high = Math.min(...known.map((range) => range.high))
  return low > high ? undefined : { low, high }
}

/** The most rows that one value of a column has; `undefined` where there are more of them than fit into memory. */
export async function measureRowsMost(
  { connection }: ImportReader,
  { seen, column }: { seen: SeenFile; column: SeenColumn },
): Promise<number | undefined> {
  const counts = sql`select count(*) as rows from ${seen.relation} where ${column.text} is not null group by ${column.text}`
  const found = await withinMemory(() => runOwn(connection, sql`select max(rows)::double from (${counts})`))
  const most = Number(found?.getRows()[0]?.[0] ?? 0)
  return most > 0 ? most : undefined
}

/** `undefined` where there are more people than fit into memory. */
async function withinMemory<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Error && /Out of Memory/i.test(error.message)) return undefined
    throw error
  }
}
