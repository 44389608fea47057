import { INTEGER, VARCHAR } from '@duckdb/node-api'
import { sql } from 'kysely'
import { Bitset } from '../../kernel/bitset.ts'
import { keyColumnsOf, setsPerPersonOf } from '../../protocol/data-set.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { appendColumns } from '../vault/fill-table.ts'
import { householdDigest } from '../vault/keys/lookup-digest.ts'
import type { LookupKeys } from '../vault/keys/lookup-digest.ts'
import { runOwn } from '../vault/own-sql.ts'
import type { Vault } from '../vault/vault.ts'
import { NOBODY } from '../vault/vault.ts'
import { unusableFile } from './import-problem.ts'
import type { ImportReader } from './import-reader.ts'
import { NUMBERS_TABLE } from './number-people.ts'
import type { ImportSource } from './source-field.ts'

/** The table in the reader's engine that turns the keys of a row about several people into a number: `key_0` and so on, `number`. */
export const HOUSEHOLDS_TABLE = 'together'

/** Everybody who stands behind a row of the file together with others. */
interface SeenHousehold {
  readonly keys: readonly (string | null)[]
  readonly people: readonly (number | null)[]
}

/**
 * Gives whoever stands together behind rows of a numbered file one number more, and keeps who they are. Nothing of it is
 * written where it would put somebody into more sets of people than the manifest allows. Gives the numbers of the households.
 *
 * @throws Fault `fault.import_malformed`
 */
export async function numberHouseholds(
  { vault, lookupKeys }: { readonly vault: Vault; readonly lookupKeys: LookupKeys },
  reader: ImportReader,
  { source, manifest }: { source: ImportSource; manifest: Manifest },
): Promise<Bitset> {
  const columns = keyColumnsOf(manifest)
  if (columns.length === 1) return new Bitset()
  const seen = await readTogether(reader, { source, columns })
  await requireFewSets(vault, { seen, manifest })
  const shared = seen.filter(({ keys }) => isShared(keys))
  const { issuer } = manifest
  const numbers = [
    ...(await vault.numberPeople(
      shared.map(({ keys }) => householdDigest(lookupKeys, { issuer, personKeys: keys })),
    )),
  ]
  await vault.keepHouseholds(
    shared.map(({ people }, index) => ({
      household: numbers[index] ?? NOBODY,
      members: people.map((person) => person ?? undefined),
    })),
  )
  await keepForRows(reader, { shared, numbers, places: columns.length })
  return Bitset.of(numbers)
}

function isShared(keys: readonly (string | null)[]): boolean {
  return keys.slice(1).some((key) => key !== null)
}

/** Each set of people of the file once, in the order of their columns, with their numbers. */
async function readTogether(
  { connection }: ImportReader,
  { source, columns }: { source: ImportSource; columns: readonly string[] },
): Promise<readonly SeenHousehold[]> {
  const texts = columns.map((name) => {
    const field = source.fields.find(({ column }) => column.name === name)
    return field ? field.text : sql`null`
  })
  const named = texts.map((text, place) => sql`${text} as ${sql.id(`key_${place}`)}`)
  const keys = columns.map((_, place) => sql.id('r', `key_${place}`))
  const numbers = columns.map((_, place) => sql.id(`n${place}`, 'number'))
  const joins = columns.map(
    (_, place) =>
      sql`left join ${sql.id(NUMBERS_TABLE)} ${sql.id(`n${place}`)} on ${sql.id(`n${place}`, 'key')} = ${sql.id('r', `key_${place}`)}`,
  )
  const found = await runOwn(
    connection,
    sql`
      select ${sql.join([...keys, ...numbers])}
      from (select distinct ${sql.join(named)} from ${source.relation}) r ${sql.join(joins, sql` `)}
      order by ${sql.join(keys)}`,
  )
  return found.getRows().map((row) => ({
    keys: row.slice(0, columns.length).map((key) => (key === null ? null : String(key))),
    people: row.slice(columns.length).map((number) => (number === null ? null : Number(number))),
  }))
}

/** Counts, with what is stored already, in how many sets of people each person would be. */
async function requireFewSets(
  vault: Vault,
  { seen, manifest }: { seen: readonly SeenHousehold[]; manifest: Manifest },
): Promise<void> {
  const most = setsPerPersonOf(manifest)
  const places = keyColumnsOf(manifest).length
  const [households, stored] = await Promise.all([vault.households(), vault.numbers(manifest.dataSet)])
  const sets = new Map<number, Set<string>>()
  const note = (people: readonly (number | null | undefined)[]) => {
    // Whoever is forgotten leaves a set that nobody uses.
    if (people.includes(NOBODY)) return
    const name = JSON.stringify(people.map((person) => person ?? null))
    for (const person of people) {
      if (person === null || person === undefined) continue
      const theirs = sets.get(person) ?? new Set()
      sets.set(person, theirs.add(name))
    }
  }
  for (const { people } of seen) note(people)
  const isInFile = new Set(sets.keys())
  for (const number of stored) note(withLength(households.placesOf(number), places))
  if ([...isInFile].every((person) => (sets.get(person)?.size ?? 0) <= most)) return
  throw unusableFile(
    `it puts somebody into rows of more than ${most} different sets of people (person.others.setsPerPersonMax)`,
  )
}

function withLength(places: readonly (number | undefined)[], length: number): (number | undefined)[] {
  return Array.from({ length }, (_, place) => places[place])
}

async function keepForRows(
  { connection }: ImportReader,
  {
    shared,
    numbers,
    places,
  }: { shared: readonly SeenHousehold[]; numbers: readonly number[]; places: number },
): Promise<void> {
  const keys = Array.from({ length: places }, (_, place) => sql`${sql.id(`key_${place}`)} varchar`)
  await runOwn(
    connection,
    sql`create or replace table ${sql.id(HOUSEHOLDS_TABLE)} (${sql.join(keys)}, number integer not null)`,
  )
  await appendColumns(connection, {
    table: HOUSEHOLDS_TABLE,
    types: [...keys.map(() => VARCHAR), INTEGER],
    columns: [...keys.map((_, place) => shared.map((one) => one.keys[place] ?? null)), numbers],
  })
}
