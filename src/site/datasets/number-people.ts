import { INTEGER, VARCHAR } from '@duckdb/node-api'
import type { DuckDBValue } from '@duckdb/node-api'
import { sql } from 'kysely'
import { Fault } from '../../kernel/faults.ts'
import { ComputingTurn, inTurns } from '../../kernel/in-turns.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { Random } from '../../kernel/random.ts'
import { Bitset } from '../../kernel/bitset.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { lookupDigest } from '../vault/keys/lookup-digest.ts'
import type { LookupKeys } from '../vault/keys/lookup-digest.ts'
import { appendColumns } from '../vault/fill-table.ts'
import { chunksOwn, runOwn } from '../vault/own-sql.ts'
import { cellContext } from '../vault/keys/person-keys.ts'
import type { KeySource, PersonKeys } from '../vault/keys/person-keys.ts'
import { nonceSource, seal } from '../vault/keys/seal-cell.ts'
import { storedColumns } from '../vault/stored-columns.ts'
import type { Vault } from '../vault/vault.ts'
import { KEYS_TABLE } from './check-file.ts'
import type { ImportReader } from './import-reader.ts'

/** The table in the reader's engine that turns a key into a number: `key`, `number`, `position` (in `KeyRing`). */
export const NUMBERS_TABLE = 'numbered'

/** Data keys of the people of a file, by their position in it. */
export class KeyRing {
  readonly #portions: KeySource[] = []
  readonly #portionSize: number

  constructor(portionSize: number) {
    this.#portionSize = portionSize
  }

  add(keys: KeySource): void {
    this.#portions.push(keys)
  }

  keyAt(position: number): Uint8Array {
    const keys = this.#portions[Math.floor(position / this.#portionSize)]
    if (!keys) throw new Fault('fault.internal', { what: 'Cannot seal: the key of a person was not fetched' })
    return keys.keyAt(position % this.#portionSize)
  }
}

/** What it takes to number people. */
export interface NumberingParts {
  readonly db: Database
  readonly vault: Vault
  readonly keys: PersonKeys
  readonly lookupKeys: LookupKeys
  readonly random: Random
}

/** The people of a file, and the keys that seal what is theirs. */
export interface NumberedPeople {
  readonly ring: KeyRing
  readonly people: Bitset
}

/**
 * Gives every person of a checked file a number and a key, keeps what is known of them, and seals the key that the
 * issuer knows them by. Each of these holds for ever, so doing it again after a crash does nothing twice.
 */
export async function numberPeople(
  parts: NumberingParts,
  reader: ImportReader,
  manifest: Manifest,
): Promise<NumberedPeople> {
  const { connection } = reader
  const ring = new KeyRing(LIMITS.importPeopleAtOnce)
  const sealsRows = storedColumns(manifest).some(({ isSealed }) => isSealed)
  await runOwn(
    connection,
    sql`create or replace table ${sql.id(NUMBERS_TABLE)} (key varchar not null, number integer not null, position integer not null)`,
  )
  const numbered = new Bitset()
  let position = 0
  for await (const people of portions(reader)) {
    const { numbers, keys } = await giveNumbers(parts, manifest, people)
    for (const number of numbers) numbered.add(number)
    // Where no row is sealed, a portion's keys serve for its people's own keys and are let go.
    if (sealsRows) ring.add(keys)
    const personKeys = people.map(({ key }) => key)
    await keepNumbers(reader, { personKeys, numbers, position })
    position += numbers.length
  }
  return { ring, people: numbered }
}

/** The same for some people who are known by name. */
async function giveNumbers(
  { db, vault, keys, lookupKeys, random }: NumberingParts,
  manifest: Manifest,
  people: readonly SeenPerson[],
): Promise<{ readonly numbers: readonly number[]; readonly keys: KeySource }> {
  const { dataSet, issuer, person } = manifest
  const personKeys = people.map(({ key }) => key)
  const lookups = await inTurns(personKeys, (personKey) => lookupDigest(lookupKeys, { issuer, personKey }))
  const numbers = [...(await vault.numberPeople(lookups))]
  const source = await keys.ensureKeys(db, numbers)
  const context = cellContext({ dataSet, column: person.key })
  const nextNonce = nonceSource(random)
  await vault.keepSealedKeys(dataSet, {
    people: numbers,
    seal: (index) => seal(personKeys[index] ?? '', { key: source.keyAt(index), nonce: nextNonce(), context }),
  })
  if (person.birthDate !== undefined || person.residence !== undefined)
    await vault.keepPrincipals(people.map((facts, index) => ({ ...facts, person: numbers[index] ?? 0 })))
  return { numbers, keys: source }
}

/** Somebody of an import, with what it says of them for the rules of age. */
export interface SeenPerson {
  readonly key: string
  readonly birthDate?: string
  readonly residence?: string
}

/** Each but the last of the same size, which a `KeyRing` goes by. */
async function* portions({ connection }: ImportReader): AsyncGenerator<readonly SeenPerson[]> {
  let waiting: SeenPerson[] = []
  const size = LIMITS.importPeopleAtOnce
  const seen = sql`select key, birth_date::varchar, residence from ${sql.id(KEYS_TABLE)} order by key`
  // Read in full first: a connection of the engine does one thing at a time, and the numbers go back into it.
  const turn = new ComputingTurn()
  for (const chunk of await chunksOwn(connection, seen)) {
    waiting.push(...chunk.getRows().map(toSeen))
    await turn.next()
    if (waiting.length < size) continue
    yield waiting.slice(0, size)
    waiting = waiting.slice(size)
  }
  if (waiting.length > 0) yield waiting
}

function toSeen([key, birthDate, residence]: readonly DuckDBValue[]): SeenPerson {
  return {
    key: String(key),
    ...(typeof birthDate === 'string' ? { birthDate } : {}),
    ...(typeof residence === 'string' && /^[A-Z]{2}$/.test(residence) ? { residence } : {}),
  }
}

async function keepNumbers(
  { connection }: ImportReader,
  {
    personKeys,
    numbers,
    position,
  }: { personKeys: readonly string[]; numbers: readonly number[]; position: number },
): Promise<void> {
  await appendColumns(connection, {
    table: NUMBERS_TABLE,
    types: [VARCHAR, INTEGER, INTEGER],
    columns: [personKeys, numbers, numbers.map((_, index) => position + index)],
  })
}
