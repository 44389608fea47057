import { copyFile, open, stat } from 'node:fs/promises'
import { constants } from 'node:fs'
import { sql } from 'kysely'
import { Bitset } from '../../kernel/bitset.ts'
import type { Clock } from '../../kernel/clock.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Mutex } from '../../kernel/mutex.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { ConnectionPool } from './connection-pool.ts'
import { toVaultValue } from './convert-result.ts'
import { createBatchTables, describeTable, dropDataSet, rowTables } from './data-set-tables.ts'
import { EligibleTables } from './eligible-tables.ts'
import { inTransaction, openEngine } from './engine.ts'
import type { Engine, EngineLimits } from './engine.ts'
import { readOwn, runOwn } from './own-sql.ts'
import {
  createPeopleTables,
  findNumbers,
  giveNumbers,
  keepFacts,
  keepKeys,
  nextNumber,
  readKeys,
  readPrincipals,
} from './people-table.ts'
import { PersonIndex } from './person-index.ts'
import { runStatement } from './run-statement.ts'
import { PERSON_COLUMN, tableOf } from './stored-columns.ts'
import { appendBatch, discardBatch, findBatch, rowsAside, setAsidePart, takeBatch } from './take-rows.ts'
import { vaultFault } from './vault-fault.ts'
import type { Principals, Vault, VaultResult } from './vault.ts'

/**
 * Opens the vault in `<directory>/vault.duckdb`, or makes it.
 *
 * @throws Fault `fault.directory_in_use`, `fault.directory_version`, `fault.disk_full`, `fault.vault`
 */
export async function openVault({
  directory,
  clock,
  limits = { memoryMiB: LIMITS.vaultMemoryMiB, threads: LIMITS.vaultThreads },
}: {
  directory: string
  clock: Clock
  limits?: EngineLimits
}): Promise<Vault> {
  const engine = await openEngine(directory, limits)
  try {
    await inTransaction(engine.writer, async () => {
      await createPeopleTables(engine.writer)
      await createBatchTables(engine.writer)
    })
  } catch (error) {
    await engine[Symbol.asyncDispose]()
    throw vaultFault(error, 'Cannot open the vault')
  }
  return vaultOf(engine, clock)
}

function vaultOf(engine: Engine, clock: Clock): Vault {
  const { writer, reader } = engine
  const writing = guarded(engine, engine.writing)
  const reading = guarded(engine, engine.reading)
  const pool = new ConnectionPool(() => engine.connect(), LIMITS.vaultStatementsAtOnceMax)
  const eligible = new EligibleTables({ connection: reader, turn: engine.reading })
  const memory = new Memory()
  const index = memory.index
  /** A change in one transaction; what memory holds of it is read anew. */
  const change = <T>(what: string, act: () => Promise<T>): Promise<T> =>
    writing(what, () => inTransaction(writer, act)).finally(() => memory.forgetAll())
  return {
    describe: (manifest) => change('describe a data set', () => describeTable(writer, manifest)),
    retire: (dataSet) => change('retire a data set', () => dropDataSet(writer, dataSet)),
    append: (batch, rows) =>
      writing('append a batch', () => appendBatch(writer, batch, rows)).finally(() => memory.forgetAll()),
    setAside: (part, rows) => writing('set rows aside', () => setAsidePart(writer, part, rows)),
    rowsAside: (batch) => reading('look for a batch', () => rowsAside(reader, batch)),
    take: (batch) =>
      writing('take a batch', () => takeBatch(writer, batch)).finally(() => memory.forgetAll()),
    discard: (batch) => change('discard a batch', () => discardBatch(writer, batch)),
    findBatch: (batch) => reading('look for a batch', () => findBatch(reader, batch)),
    findPeople: (lookups) =>
      reading(
        'find people',
        async () => (await index.find(reader, lookups)) ?? (await findNumbers(reader, lookups)),
      ),
    numberPeople: (lookups) => change('number people', () => giveNumbers(writer, lookups)),
    keepPrincipals: (facts) => change('keep what is known of people', () => keepFacts(writer, facts)),
    keepSealedKeys: (dataSet, keys) =>
      change('keep sealed keys', () => keepKeys(writer, { dataSet, ...keys })),
    personCount: () => memory.personCount(() => reading('count people', () => nextNumber(reader))),
    principals: () => memory.principals(() => reading('read principals', () => readPrincipals(reader))),
    people: (dataSet) =>
      memory.people(dataSet, () => reading('read people', () => readPeople(engine, dataSet))),
    rowsPerPerson: (dataSet) =>
      memory.rowsPerPerson(dataSet, () => reading('count rows', () => readRowsPerPerson(engine, dataSet))),
    run: (statement, limits) =>
      pool.use((connection, tidy) =>
        runStatement(connection, { statement, limits, clock, tidy, note: (error) => engine.note(error) }),
      ),
    ended: engine.ended,
    withEligible: (set, use) => eligible.use(set, use),
    listRows: (dataSet, person) => reading('list rows', () => listRows(engine, { dataSet, person })),
    listSealedKeys: (person) => reading('list keys', () => readKeys(reader, person)),
    forget: (person) => change('forget a person', () => forgetPerson(engine, person)),
    snapshot: (path) => writing('write a snapshot', () => writeSnapshot(engine, path)),
    [Symbol.asyncDispose]: async () => {
      await pool.close()
      await engine[Symbol.asyncDispose]()
    },
  }
}

/** Runs acts of one connection one after another; what the engine says stays inside. */
function guarded(engine: Engine, turn: Mutex): <T>(what: string, act: () => Promise<T>) => Promise<T> {
  return (what, act) =>
    turn.run(async () => {
      try {
        return await act()
      } catch (error) {
        engine.note(error)
        throw vaultFault(error, `Cannot ${what}`)
      }
    })
}

/** What is read again and again, kept until something changes. */
class Memory {
  readonly index = new PersonIndex()
  #people = new Map<DataSetId, Promise<Bitset>>()
  #rowsPerPerson = new Map<DataSetId, Promise<number>>()
  #principals: Promise<Principals> | undefined
  #personCount: Promise<number> | undefined

  personCount(read: () => Promise<number>): Promise<number> {
    this.#personCount ??= read()
    this.#personCount.catch(() => this.forgetAll())
    return this.#personCount
  }

  people(dataSet: DataSetId, read: () => Promise<Bitset>): Promise<Bitset> {
    const known = this.#people.get(dataSet) ?? read()
    this.#people.set(dataSet, known)
    known.catch(() => this.forgetAll())
    return known
  }

  rowsPerPerson(dataSet: DataSetId, read: () => Promise<number>): Promise<number> {
    const known = this.#rowsPerPerson.get(dataSet) ?? read()
    this.#rowsPerPerson.set(dataSet, known)
    known.catch(() => this.forgetAll())
    return known
  }

  principals(read: () => Promise<Principals>): Promise<Principals> {
    this.#principals ??= read()
    this.#principals.catch(() => this.forgetAll())
    return this.#principals
  }

  forgetAll(): void {
    this.index.noteChange()
    this.#people = new Map()
    this.#rowsPerPerson = new Map()
    this.#principals = undefined
    this.#personCount = undefined
  }
}

async function readPeople({ reader }: Engine, dataSet: DataSetId): Promise<Bitset> {
  const person = sql.id(PERSON_COLUMN)
  const count = await nextNumber(reader)
  if (count === 0) return new Bitset()
  const found = await runOwn(
    reader,
    sql`select bitstring_agg(${person}, 0, ${sql.lit(count - 1)}) from ${sql.id(tableOf(dataSet))}`,
  )
  const bits = toVaultValue(found.getRows()[0]?.[0] ?? null)
  return bits instanceof Uint8Array ? Bitset.fromBytes(bits) : new Bitset()
}

async function readRowsPerPerson({ reader }: Engine, dataSet: DataSetId): Promise<number> {
  const person = sql.id(PERSON_COLUMN)
  const found = await runOwn(
    reader,
    sql`select coalesce(max(rows), 0)::integer from (
      select count(*) as rows from ${sql.id(tableOf(dataSet))} group by ${person}) as counted`,
  )
  return Number(found.getRows()[0]?.[0] ?? 0)
}

async function listRows(
  { reader }: Engine,
  { dataSet, person }: { dataSet: DataSetId; person: number },
): Promise<VaultResult> {
  const query = sql`
    select * exclude (${sql.id(PERSON_COLUMN)}) from ${sql.id(tableOf(dataSet))}
    where ${sql.id(PERSON_COLUMN)} = ${person}::integer`
  return readOwn(reader, query)
}

async function forgetPerson({ writer }: Engine, person: number): Promise<{ readonly rows: number }> {
  let rows = 0
  for (const table of await rowTables(writer)) {
    const { rowsChanged } = await runOwn(
      writer,
      sql`delete from ${sql.id(table)} where ${sql.id(PERSON_COLUMN)} = ${person}::integer`,
    )
    rows += rowsChanged
  }
  await runOwn(writer, sql`delete from _person_key where person = ${person}::integer`)
  await runOwn(
    writer,
    sql`update _person set lookup = null, birth_date = null, residence = null where number = ${person}::integer`,
  )
  return { rows }
}

/** Nothing is written meanwhile, so the file and what its log still holds belong together. */
async function writeSnapshot({ writer, path }: Engine, target: string): Promise<void> {
  await writer.run('checkpoint').catch(() => undefined)
  await copyDurably(path, target)
  const log = `${path}.wal`
  const size = await stat(log).then(
    (found) => found.size,
    () => 0,
  )
  if (size > 0) await copyDurably(log, `${target}.wal`)
}

async function copyDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
  const file = await open(to, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
