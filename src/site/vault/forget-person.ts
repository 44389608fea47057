import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import type { Bitset } from '../../kernel/bitset.ts'
import { runOwn } from './own-sql.ts'
import { PERSON_COLUMN } from './stored-columns.ts'
import { NOBODY } from './vault.ts'
import { readWhereRowsAre } from './where-rows-are.ts'
import type { WhereRowsAre } from './where-rows-are.ts'

/** Who was forgotten: how many rows of theirs there were in which tables, and the numbers that nobody is found by from then on. */
export interface ForgottenPeople {
  readonly rows: ReadonlyMap<string, number>
  readonly numbers: readonly number[]
}

/**
 * Deletes all that is known of people but that their numbers are taken. Rows about others too
 * go with the last of them; until then nobody stands in this one's place, and what was theirs in the row is under a key that
 * is destroyed (docs/decisions/0023).
 */
export async function forgetPeople(
  connection: DuckDBConnection,
  people: readonly number[],
  known?: WhereRowsAre,
): Promise<ForgottenPeople> {
  if (people.length === 0) return { rows: new Map(), numbers: [] }
  const { tables, hasHouseholds } = known ?? (await readWhereRowsAre(connection))
  const numbers = writtenOut(people)
  const { abandoned, broken = [] } = hasHouseholds ? await leaveHouseholds(connection, numbers) : {}
  const isTheirs = (column: string) =>
    abandoned
      ? sql`${sql.id(column)} in (${numbers}) or ${sql.id(column)} in (${abandoned})`
      : sql`${sql.id(column)} in (${numbers})`
  const rows = new Map<string, number>()
  for (const table of tables) {
    const { rowsChanged } = await runOwn(
      connection,
      sql`delete from ${sql.id(table)} where ${isTheirs(PERSON_COLUMN)}`,
    )
    rows.set(table, rowsChanged)
  }
  const gone = [...people, ...broken]
  // Nothing is read of what these give: one way to the engine for all of them.
  await runOwn(
    connection,
    sql.join(
      [
        sql`delete from _person_key where person in (${numbers})`,
        sql`delete from _without_rows where person in (${numbers})`,
        ...forgettingWho(gone),
      ],
      sql`; `,
    ),
  )
  return { rows, numbers: gone }
}

/** Empties what is known of people besides their numbers. */
function forgettingWho(people: readonly number[]): readonly RawBuilder<unknown>[] {
  const emptied = sql`
    update _person set lookup = null, birth_date = null, residence = null
    where (lookup is not null or birth_date is not null or residence is not null)`
  // For a list the engine reads every column of everybody, for one number hardly anything but the numbers.
  return people.length <= EACH_ALONE
    ? people.map((person) => sql`${emptied} and number = ${sql.lit(person)}`)
    : [sql`${emptied} and number in (${writtenOut(people)})`]
}

/** Up to so many statements of one person each take no longer than one of all of them (measured among 100,000 people). */
const EACH_ALONE = 8

/** Up to so many each is a word of its own of a statement; more are read as one text, in a tenth of the time. */
const FEW = 64

/** What stands in brackets after `in`. Written out: without a value to bind, the engine plans and runs a statement in one step. */
function writtenOut(people: readonly number[]): RawBuilder<unknown> {
  if (people.length <= FEW) return sql.join(people.map((person) => sql.lit(person)))
  return sql`select unnest(cast(${sql.lit(`[${people.join(',')}]`)} as integer[]))`
}

/**
 * Puts nobody in the place of people. Gives the households in which nobody is left, whose rows go, and those that are not what they were:
 * by these nobody is found any more, because the same people again would be others.
 */
async function leaveHouseholds(
  connection: DuckDBConnection,
  numbers: RawBuilder<unknown>,
): Promise<{ readonly abandoned: RawBuilder<unknown>; readonly broken: readonly number[] }> {
  const nobody = sql.lit(NOBODY)
  await runOwn(connection, sql`update _household set person = ${nobody} where person in (${numbers})`)
  const broken = await runOwn(
    connection,
    sql`select distinct household from _household where person = ${nobody}`,
  )
  return {
    abandoned: abandonedHouseholds(),
    broken: broken.getRows().map(([household]) => Number(household)),
  }
}

/** Households in which nobody is left. */
function abandonedHouseholds(): RawBuilder<unknown> {
  return sql`select household from _household group by household having max(person) = ${sql.lit(NOBODY)}`
}

/** The numbers among some of whoever was forgotten, and of the households that nobody is left in. */
export async function whoIsGone(
  connection: DuckDBConnection,
  { numbers, forgotten }: { readonly numbers: Bitset; readonly forgotten: ReadonlySet<number> },
): Promise<readonly number[]> {
  if (forgotten.size === 0) return []
  const abandoned = await runOwn(connection, abandonedHouseholds())
  const gone = [...forgotten, ...abandoned.getRows().map(([household]) => Number(household))]
  return gone.filter((number) => numbers.has(number))
}
