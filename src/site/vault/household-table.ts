import { INTEGER } from '@duckdb/node-api'
import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import { fillTemporary } from './fill-table.ts'
import { Households } from './households.ts'
import { runOwn } from './own-sql.ts'
import { NOBODY } from './vault.ts'
import type { HouseholdFacts } from './vault.ts'

/** The vault's own table of who stands together behind rows: a person for each place; `NOBODY` for one who was forgotten. */
export async function createHouseholdTable(connection: DuckDBConnection): Promise<void> {
  await runOwn(
    connection,
    sql`create table if not exists _household (household integer not null, place integer not null, person integer not null)`,
  )
}

/** Keeps who stands behind rows together; what is known already is left alone. Whoever has no lookup is forgotten. */
export async function keepHouseholds(
  connection: DuckDBConnection,
  households: readonly HouseholdFacts[],
): Promise<void> {
  const entries = households.flatMap(({ household, members }) =>
    members.flatMap((person, place) => (person === undefined ? [] : [{ household, place, person }])),
  )
  await fillTemporary(connection, {
    table: '_together',
    types: { household: INTEGER, place: INTEGER, person: INTEGER },
    columns: [
      entries.map(({ household }) => household),
      entries.map(({ place }) => place),
      entries.map(({ person }) => person),
    ],
  })
  await runOwn(
    connection,
    sql`
      insert into _household
      select t.household, t.place, case when p.lookup is null then ${sql.lit(NOBODY)} else t.person end
      from temp._together t left join _person p on p.number = t.person
      where t.household not in (select household from _household)`,
  )
  await runOwn(connection, sql`drop table temp._together`)
}

/** Everybody who stands behind rows together with others. */
export async function readHouseholds(connection: DuckDBConnection): Promise<Households> {
  const found = await runOwn(
    connection,
    sql`select household, place, person from _household order by household, place`,
  )
  const members = new Map<number, (number | undefined)[]>()
  for (const [household, place, person] of found.getRows()) {
    const places = members.get(Number(household)) ?? []
    while (places.length < Number(place)) places.push(undefined)
    places.push(Number(person))
    members.set(Number(household), places)
  }
  return new Households(members)
}
