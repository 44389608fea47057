import { sql } from 'kysely'
import type { Bitset } from '../../kernel/bitset.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import type { AskId } from '../../protocol/wire.ts'

/** People whose numbers stand in one slice: what is looked through for one person is so many times less. */
const SLICE = 16_384

/**
 * Who is in a release of rows, in slices of people by their numbers: whoever erases somebody finds the releases that
 * hold that person's rows by one slice of each, and reads no others (table `rows_given`).
 *
 * Slices are texts of PostgreSQL's own form of a list, because lists of different lengths cannot be bound as one.
 */
export function slicesOf(people: Bitset): Readonly<Record<string, string>> {
  const slices = new Map<number, number[]>()
  people.forEach((person) => {
    const slice = Math.floor(person / SLICE)
    const places = slices.get(slice) ?? []
    places.push(person % SLICE)
    slices.set(slice, places)
  })
  return Object.fromEntries([...slices].map(([slice, places]) => [slice, `{${places.join(',')}}`]))
}

/** The asks whose releases hold rows of a person, in the order of their ids. */
export async function asksGivenRowsOf(db: Database, person: number): Promise<readonly AskId[]> {
  const { rows } = await sql<{ ask_id: AskId }>`
    ${KEPT} select ask_id from rows_given
    where slice = ${Math.floor(person / SLICE)} and ${person % SLICE}::smallint = any(places) order by ask_id`.execute(
    db,
  )
  return rows.map(({ ask_id: ask }) => ask)
}

/** More people than that are not looked for one by one. */
const LOOKED_FOR_MAX = 64

/** Of people those whose rows are in some release. */
export async function peopleGivenRows(db: Database, people: readonly number[]): Promise<ReadonlySet<number>> {
  if (people.length <= LOOKED_FOR_MAX) return fewGivenRows(db, people)
  const { rows } = await sql<{ person: number }>`
    select distinct g.slice * ${SLICE}::integer + given.place as person from rows_given g cross join unnest(g.places) as given (place)
    where g.slice = any(${[...new Set(people.map((person) => Math.floor(person / SLICE)))]}::integer[])`.execute(
    db,
  )
  const given = new Set(rows.map(({ person }) => person))
  return new Set(people.filter((person) => given.has(person)))
}

async function fewGivenRows(db: Database, people: readonly number[]): Promise<ReadonlySet<number>> {
  if (people.length === 0) return new Set()
  const { rows } = await sql<{ person: number }>`
    ${KEPT} select person from unnest(${people}::integer[], ${people.map((person) => Math.floor(person / SLICE))}::integer[],
      ${people.map((person) => person % SLICE)}::smallint[]) as asked (person, slice, place)
    where exists (select from rows_given g where g.slice = asked.slice and asked.place = any(g.places))`.execute(
    db,
  )
  return new Set(rows.map(({ person }) => person))
}
