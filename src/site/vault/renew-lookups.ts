import type { DuckDBConnection } from '@duckdb/node-api'
import { BLOB, DuckDBBlobValue, INTEGER } from '@duckdb/node-api'
import { sql } from 'kysely'
import { runOwn } from './own-sql.ts'
import { fillTemporary } from './fill-table.ts'
import type { LookupRenewal } from './vault.ts'

/** People whose digests are changed by one statement. */
const PEOPLE_AT_ONCE = 100_000

/** Which renewals there were. */
export async function createRenewalTable(connection: DuckDBConnection): Promise<void> {
  await runOwn(connection, sql`create table if not exists _lookup_renewal (id varchar not null)`)
}

/** Changes every digest by which a person is found, inside the caller's transaction. */
export async function renewLookups(connection: DuckDBConnection, { id, next }: LookupRenewal): Promise<void> {
  const known = await runOwn(connection, sql`select id from _lookup_renewal where id = ${id}`)
  if (known.getRows().length > 0) return
  for (let from = 0; ;) {
    const found = await runOwn(
      connection,
      sql`
        select number, lookup from _person where lookup is not null and number >= ${from}::integer
        order by number limit ${PEOPLE_AT_ONCE}`,
    )
    const rows = found.getRows()
    const last = rows.at(-1)?.[0]
    if (last === undefined) break
    await fillTemporary(connection, {
      table: '_renewed',
      types: { number: INTEGER, lookup: BLOB },
      columns: [
        rows.map(([number]) => Number(number)),
        rows.map(([, lookup]) =>
          lookup instanceof DuckDBBlobValue ? new DuckDBBlobValue(next(lookup.bytes)) : null,
        ),
      ],
    })
    await runOwn(
      connection,
      sql`update _person p set lookup = r.lookup from temp._renewed r where p.number = r.number`,
    )
    from = Number(last) + 1
  }
  await runOwn(connection, sql`drop table if exists temp._renewed`)
  await runOwn(connection, sql`insert into _lookup_renewal values (${id})`)
}
