import { BLOB, DATE, DuckDBBlobValue, DuckDBDateValue, INTEGER, VARCHAR } from '@duckdb/node-api'
import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import { LIMITS } from '../../kernel/limits.ts'
import { Fault } from '../../kernel/faults.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { dataSetIdSchema } from '../../protocol/wire.ts'
import { inTurns } from '../../kernel/in-turns.ts'
import { appendColumns, fillTemporary } from './fill-table.ts'
import { peopleList, runOwn } from './own-sql.ts'
import { NOBODY, UNKNOWN_BIRTH_DAY } from './vault.ts'
import type { ExpectedNumbers, PersonFacts, Principals } from './vault.ts'

/** Up to so many are looked for by name in a statement; beyond that by a table of them. */
const FEW = 64
const DAY_MS = 86_400_000

/** The vault's own tables: who has which number, and each issuer's sealed key of a person. */
export async function createPeopleTables(connection: DuckDBConnection): Promise<void> {
  await runOwn(
    connection,
    sql`create table if not exists _person (number integer not null, lookup blob, birth_date date, residence varchar)`,
  )
  await runOwn(
    connection,
    sql`create table if not exists _person_key (data_set varchar not null, person integer not null, sealed blob not null)`,
  )
}

/** The number that the next new person gets. Rows of forgotten people stay, so numbers are never used again. */
export async function nextNumber(connection: DuckDBConnection): Promise<number> {
  const [[next] = []] = (
    await runOwn(connection, sql`select coalesce(max(number) + 1, 0) from _person`)
  ).getRows()
  return Number(next)
}

/** Numbers by lookup digests, in the order given. */
export async function findNumbers(
  connection: DuckDBConnection,
  lookups: readonly Uint8Array[],
): Promise<Int32Array> {
  const numbers = new Int32Array(lookups.length).fill(NOBODY)
  if (lookups.length <= FEW) return findFew(connection, lookups, numbers)
  await fillTemporary(connection, {
    table: '_asked',
    types: { position: INTEGER, lookup: BLOB },
    columns: [lookups.map((_, position) => position), lookups.map((lookup) => new DuckDBBlobValue(lookup))],
  })
  const found = await runOwn(
    connection,
    sql`select a.position, p.number from temp._asked a join _person p on p.lookup = a.lookup`,
  )
  for (const [position, number] of found.getRows()) numbers[Number(position)] = Number(number)
  await runOwn(connection, sql`drop table temp._asked`)
  return numbers
}

async function findFew(
  connection: DuckDBConnection,
  lookups: readonly Uint8Array[],
  numbers: Int32Array,
): Promise<Int32Array> {
  if (lookups.length === 0) return numbers
  const asked = sql.join(lookups.map((lookup) => sql`${lookup}::blob`))
  const found = await runOwn(connection, sql`select lookup, number from _person where lookup in (${asked})`)
  const byName = new Map(
    found
      .getRows()
      .flatMap(([lookup, number]) =>
        lookup instanceof DuckDBBlobValue ? [[nameOf(lookup.bytes), Number(number)] as const] : [],
      ),
  )
  for (const [position, lookup] of lookups.entries()) numbers[position] = byName.get(nameOf(lookup)) ?? NOBODY
  return numbers
}

function nameOf(lookup: Uint8Array): string {
  return Buffer.from(lookup).toString('latin1')
}

/** The lookup digest of a number. */
export async function lookupOf(
  connection: DuckDBConnection,
  person: number,
): Promise<Uint8Array | undefined> {
  const found = await runOwn(connection, sql`select lookup from _person where number = ${person}::integer`)
  const lookup = found.getRows()[0]?.[0]
  return lookup instanceof DuckDBBlobValue ? lookup.bytes : undefined
}

/** The same; whoever is missing gets the next number, in the order of first mention. */
export async function giveNumbers(
  connection: DuckDBConnection,
  lookups: readonly Uint8Array[],
): Promise<Int32Array> {
  const known = await findNumbers(connection, lookups)
  const expected = expectNumbers(lookups, { known, first: await nextNumber(connection) })
  await addPeople(connection, expected)
  return expected.numbers
}

/** The numbers of people of whom some are known and the others get the next ones, in the order of first mention. */
export function expectNumbers(
  lookups: readonly Uint8Array[],
  { known, first }: { known: Int32Array; first: number },
): ExpectedNumbers {
  const given = new Map<string, number>()
  const newcomers: Uint8Array[] = []
  const numbers = known.map((number, position) => {
    const lookup = lookups[position]
    if (number !== NOBODY || !lookup) return number
    const name = nameOf(lookup)
    const own = given.get(name) ?? first + given.size
    if (!given.has(name)) newcomers.push(lookup)
    given.set(name, own)
    return own
  })
  if (first + given.size > LIMITS.peoplePerSiteMax) {
    throw new Fault('fault.vault', {
      what: `Cannot number more than ${LIMITS.peoplePerSiteMax} people at one site`,
    })
  }
  return { numbers, first, newcomers }
}

/** Gives people the numbers from `first` on, with what is known of some of them. */
export async function addPeople(
  connection: DuckDBConnection,
  { first, newcomers }: Pick<ExpectedNumbers, 'first' | 'newcomers'>,
  facts: ReadonlyMap<number, PersonFacts> = new Map(),
): Promise<void> {
  if (newcomers.length === 0) return
  const numbers = newcomers.map((_, index) => first + index)
  const dateOf = (number: number) => {
    const birthDate = facts.get(number)?.birthDate
    return birthDate === undefined ? null : dateValueOf(birthDate)
  }
  await appendColumns(connection, {
    table: '_person',
    types: [INTEGER, BLOB, DATE, VARCHAR],
    columns: [
      numbers,
      newcomers.map((lookup) => new DuckDBBlobValue(lookup)),
      numbers.map(dateOf),
      numbers.map((number) => facts.get(number)?.residence ?? null),
    ],
  })
}

/** Takes the number before `next` for nobody, where it is not taken: numbers go on after the highest there is. */
export async function skipNumbers(connection: DuckDBConnection, next: number): Promise<void> {
  if ((await nextNumber(connection)) >= next) return
  await runOwn(connection, sql`insert into _person (number) values (${next - 1}::integer)`)
}

/** Keeps birth dates (the later wins) and residences (the newer wins). */
export async function keepFacts(connection: DuckDBConnection, facts: readonly PersonFacts[]): Promise<void> {
  await fillTemporary(connection, {
    table: '_fact',
    types: { person: INTEGER, birth_date: DATE, residence: VARCHAR },
    columns: [
      facts.map(({ person }) => person),
      facts.map(({ birthDate }) => (birthDate === undefined ? null : dateValueOf(birthDate))),
      facts.map(({ residence }) => residence ?? null),
    ],
  })
  await runOwn(
    connection,
    sql`
      update _person p
      set birth_date = greatest(p.birth_date, f.birth_date), residence = coalesce(f.residence, p.residence)
      from temp._fact f
      where p.number = f.person
        and (greatest(p.birth_date, f.birth_date) is distinct from p.birth_date
          or coalesce(f.residence, p.residence) is distinct from p.residence)`,
  )
  await runOwn(connection, sql`drop table temp._fact`)
}

/** Everybody's birth date and residence as flat arrays. */
export async function readPrincipals(connection: DuckDBConnection): Promise<Principals> {
  const count = await nextNumber(connection)
  const birthDay = new Int32Array(count).fill(UNKNOWN_BIRTH_DAY)
  const residence = new Uint16Array(count)
  const codes = new Map<string, number>([['', 0]])
  const known = await runOwn(
    connection,
    sql`
      select number, birth_date - date '1970-01-01', residence from _person
      where birth_date is not null or residence is not null`,
  )
  for (const [number, days, country] of known.getRows()) {
    if (days !== null) birthDay[Number(number)] = Number(days)
    if (country === null) continue
    const code = codes.get(String(country)) ?? codes.size
    codes.set(String(country), code)
    residence[Number(number)] = code
  }
  return { birthDay, residence, countries: [...codes.keys()] }
}

/** Seals and keeps the issuer's key of everybody who has none yet in the data set. */
export async function keepKeys(
  connection: DuckDBConnection,
  {
    dataSet,
    people,
    seal,
    newFrom,
  }: {
    dataSet: DataSetId
    people: readonly number[]
    seal: (index: number) => Uint8Array
    /** Whoever has this number or a higher one has no key yet. */
    newFrom?: number
  },
): Promise<void> {
  const older = newFrom === undefined ? people : people.filter((person) => person < newFrom)
  const have = await withKeys(connection, { dataSet, people: older })
  const missing = [...people.entries()].filter(([, person]) => !have.has(person))
  if (missing.length === 0) return
  const sealed = await inTurns(missing, ([index]) => new DuckDBBlobValue(seal(index)))
  await appendColumns(connection, {
    table: '_person_key',
    types: [VARCHAR, INTEGER, BLOB],
    columns: [missing.map(() => dataSet), missing.map(([, person]) => person), sealed],
  })
}

async function withKeys(
  connection: DuckDBConnection,
  { dataSet, people }: { dataSet: DataSetId; people: readonly number[] },
): Promise<ReadonlySet<number>> {
  if (people.length === 0) return new Set()
  const known = await runOwn(
    connection,
    sql`select person from _person_key where data_set = ${dataSet} and person in ${peopleList(people)}`,
  )
  return new Set(known.getRows().map(([person]) => Number(person)))
}

/** The sealed keys of people in one data set; those without one are not in it. */
export async function readKeysOf(
  connection: DuckDBConnection,
  { dataSet, people }: { dataSet: DataSetId; people: readonly number[] },
): Promise<ReadonlyMap<number, Uint8Array>> {
  const found = await runOwn(
    connection,
    sql`select person, sealed from _person_key where data_set = ${dataSet} and person in ${peopleList(people)}`,
  )
  return new Map(
    found
      .getRows()
      .flatMap(([person, sealed]) =>
        sealed instanceof DuckDBBlobValue ? [[Number(person), sealed.bytes] as const] : [],
      ),
  )
}

/** The sealed keys that issuers know a person by. */
export async function readKeys(
  connection: DuckDBConnection,
  person: number,
): Promise<readonly { readonly dataSet: DataSetId; readonly sealed: Uint8Array }[]> {
  const found = await runOwn(
    connection,
    sql`select data_set, sealed from _person_key where person = ${person}::integer order by data_set`,
  )
  return found
    .getRows()
    .flatMap(([dataSet, sealed]) =>
      sealed instanceof DuckDBBlobValue
        ? [{ dataSet: dataSetIdSchema.parse(dataSet), sealed: sealed.bytes }]
        : [],
    )
}

function dateValueOf(date: string): DuckDBDateValue {
  return new DuckDBDateValue(
    Math.floor(Temporal.PlainDate.from(date).toZonedDateTime('UTC').epochMilliseconds / DAY_MS),
  )
}
