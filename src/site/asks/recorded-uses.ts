import { inflateSync } from 'node:zlib'
import { sql } from 'kysely'
import { Bitset } from '../../kernel/bitset.ts'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/postgres/database.ts'

/** What went to one acquirer for one purpose, mode and country, over all time. */
export interface RecipientUse {
  readonly dataSet: string
  readonly acquirer: string
  readonly purpose: string
  readonly mode: string
  readonly country: string
  readonly releases: number
  readonly last: Instant
}

/** Who received something of each data set, from the record of releases. */
export async function recipientsOf(db: Database): Promise<readonly RecipientUse[]> {
  const { rows } = await sql<Omit<RecipientUse, 'releases' | 'last'> & { releases: bigint; last: string }>`
    select data_set as "dataSet", acquirer, purpose, mode, release_to as country, count(*) as releases, max(time_ms)::text as last
    from use_record group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5`.execute(db)
  return rows.map((row) => ({ ...row, releases: Number(row.releases), last: instant(Number(row.last)) }))
}

/** Which releases: of a time, an acquirer, some data sets; what is absent is any. */
export interface ReleaseFilter {
  readonly acquirer?: string | undefined
  readonly dataSets?: readonly string[] | undefined
  readonly from?: Instant | undefined
  readonly to?: Instant | undefined
}

/** What some releases come to. */
export interface ReleasedPeople {
  readonly releases: number
  readonly acquirers: readonly string[]
  /** By data set: everybody behind a release, and the columns that were used. */
  readonly byDataSet: ReadonlyMap<string, { readonly people: Bitset; readonly columns: ReadonlySet<string> }>
}

/** Releases read at one time: each carries the set of its people. */
const PAGE = 200

/** Whose data stood behind releases, computed from the record of them. */
export async function peopleBehind(db: Database, filter: ReleaseFilter): Promise<ReleasedPeople> {
  const byDataSet = new Map<string, { people: Bitset; columns: Set<string> }>()
  const acquirers = new Set<string>()
  const asks = new Set<string>()
  for (let after = 0n; ;) {
    const rows = await readUses(db, filter, after)
    for (const { askId, acquirer, dataSet, columns, people } of rows) {
      asks.add(askId)
      acquirers.add(acquirer)
      const known = byDataSet.get(dataSet) ?? { people: new Bitset(), columns: new Set<string>() }
      known.people.addAll(Bitset.fromBytes(inflateSync(people)))
      for (const column of columns) known.columns.add(column)
      byDataSet.set(dataSet, known)
    }
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) break
    after = last.id
  }
  return { releases: asks.size, acquirers: [...acquirers].toSorted(), byDataSet }
}

interface UseRow {
  readonly id: bigint
  readonly askId: string
  readonly acquirer: string
  readonly dataSet: string
  readonly columns: readonly string[]
  readonly people: Uint8Array
}

async function readUses(
  db: Database,
  { acquirer, dataSets, from, to }: ReleaseFilter,
  after: bigint,
): Promise<readonly UseRow[]> {
  const conditions = [
    sql`id > ${after}`,
    ...(acquirer === undefined ? [] : [sql`acquirer = ${acquirer}`]),
    ...(dataSets === undefined ? [] : [sql`data_set = any (${[...dataSets]})`]),
    ...(from === undefined ? [] : [sql`time_ms >= ${from}`]),
    ...(to === undefined ? [] : [sql`time_ms < ${to}`]),
  ]
  const { rows } = await sql<UseRow>`
    select id, ask_id as "askId", acquirer, data_set as "dataSet", columns, people from use_record
    where ${sql.join(conditions, sql` and `)} order by id limit ${PAGE}`.execute(db)
  return rows
}
