import { sql } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { Mutex } from '../../kernel/mutex.ts'
import type { Fault } from '../../kernel/faults.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { createBatchTables, describeTable, dropDataSet } from './data-set-tables.ts'
import { compactVault } from './compact-vault.ts'
import { CopyJournal } from './copy-journal.ts'
import { inTransaction, openEngine } from './engine.ts'
import type { Engine, EngineLimits } from './engine.ts'
import { EngineInUse } from './engine-in-use.ts'
import { countExpiring, expireRows } from './expire-rows.ts'
import { createHouseholdTable, keepHouseholds, readHouseholds } from './household-table.ts'
import { readGeneration, removeOthers } from './generations.ts'
import { rowLists } from './list-rows.ts'
import { runOwn } from './own-sql.ts'
import { ofDays } from './row-days.ts'
import {
  createPeopleTables,
  expectNumbers,
  findNumbers,
  lookupOf,
  nextNumber,
  readKeys,
  readKeysOf,
  readPrincipals,
  skipNumbers,
} from './people-table.ts'
import { columnsWithGaps, numbersUnderTerms, readNumbers } from './read-numbers.ts'
import { runStatement } from './run-statement.ts'
import { createRenewalTable, renewLookups } from './renew-lookups.ts'
import { removeSnapshot, snapshotVault } from './snapshot-vault.ts'
import { PERSON_COLUMN, tableOf } from './stored-columns.ts'
import { RowsInMotion } from './rows-in-motion.ts'
import { changesOf } from './change-rows.ts'
import { discardBatch, findBatch, rowsAside } from './take-rows.ts'
import { turns } from './vault-turns.ts'
import type { ReadApart, Turn } from './vault-turns.ts'
import { vaultFault } from './vault-fault.ts'
import { createMarkTable, readMark, writeMark } from './vault-mark.ts'
import { VaultMemory, nameOfRows } from './vault-memory.ts'
import type { Vault } from './vault.ts'
import { createWithoutRowsTable, leaveToIssuer, listWithoutRows } from './without-rows.ts'

/**
 * Opens the vault in `<directory>`, the generation of it that is in force (`generations.ts`), or makes it.
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
  const generation = await readGeneration(directory)
  const engine = await openEngine({ directory, generation }, limits)
  try {
    await removeOthers(directory, generation)
    await removeSnapshot(directory)
    await inTransaction(engine.writer, async () => {
      await createPeopleTables(engine.writer)
      await createRenewalTable(engine.writer)
      await createMarkTable(engine.writer)
      await createBatchTables(engine.writer)
      await createHouseholdTable(engine.writer)
      await createWithoutRowsTable(engine.writer)
    })
  } catch (error) {
    await engine[Symbol.asyncDispose]()
    throw vaultFault(error, 'Cannot open the vault')
  }
  return vaultOf(engine, { clock, limits })
}

function vaultOf(first: Engine, { clock, limits }: { clock: Clock; limits: EngineLimits }): Vault {
  const engines = new EngineInUse(first)
  const memory = new VaultMemory()
  const journal = new CopyJournal()
  const compactions = new Mutex()
  const { ended, watch } = watchEngines()
  watch(first)
  const { changes, ...turn } = turns(engines, { memory, journal })
  const reads = readsOf(turn, memory)
  return {
    ...reads,
    changes,
    inMotion: new RowsInMotion(),
    describe: (manifest) =>
      turn.change('describe a data set', ({ writer }) => describeTable(writer, manifest)),
    retire: (dataSet) =>
      turn.change('retire a data set', async ({ writer }) => {
        await leaveToIssuer(writer, dataSet)
        await dropDataSet(writer, dataSet)
      }),
    ...changesOf(turn, memory),
    expectNumbers: async (lookups) => {
      const known = await reads.findPeople(lookups)
      return expectNumbers(lookups, { known, first: await reads.personCount() })
    },
    discard: (batch) => turn.change('discard a batch', ({ writer }) => discardBatch(writer, batch)),
    skipNumbers: (next) => turn.change('skip numbers of people', ({ writer }) => skipNumbers(writer, next)),
    renewLookups: (renewal) =>
      turn
        .change('renew what people are found by', ({ writer }) => renewLookups(writer, renewal))
        .finally(() => memory.index.noteForgotten()),
    keepMark: (mark) => turn.aside('keep its mark', ({ writer }) => writeMark(writer, mark)),
    keepHouseholds: (households) =>
      turn.change('keep who is behind rows', ({ writer }) => keepHouseholds(writer, households)),
    run: (statement, runLimits) =>
      engines.hold(({ pool, engine }) =>
        pool.use((connection, tidy) => {
          const note = (error: unknown) => engine.note(error)
          return runStatement(connection, { statement, limits: runLimits, clock, tidy, note })
        }),
      ),
    ended,
    holding: (act) => engines.hold(act),
    withEligible: (set, use) => engines.hold(({ eligible }) => eligible.use(set, use)),
    expire: (expiry) => turn.change('expire rows', ({ writer }) => expireRows(writer, expiry)),
    compact: () =>
      compactions.run(() =>
        compactVault(engines, {
          journal,
          clock,
          open: async (generation) =>
            watch(await openEngine({ directory: first.directory, generation }, limits)),
        }).finally(() => memory.forgetAll()),
      ),
    snapshot: (atMoment) =>
      snapshotVault(engines, { clock, atMoment }).catch((error: unknown) => {
        engines.current.note(error)
        throw vaultFault(error, 'Cannot write a snapshot')
      }),
    removeSnapshot: () => removeSnapshot(first.directory),
    [Symbol.asyncDispose]: () => compactions.run(() => engines.close()),
  }
}

type Reads =
  | 'rowsAside'
  | 'findBatch'
  | 'findPeople'
  | 'personCount'
  | 'mark'
  | 'lookupOf'
  | 'principals'
  | 'people'
  | 'numbers'
  | 'numbersBetween'
  | 'numbersUnderTerms'
  | 'columnsWithGaps'
  | 'households'
  | 'rowsPerPerson'
  | 'rowsPast'
  | 'rowCount'
  | 'countExpiring'
  | 'listWithoutRows'
  | 'listRows'
  | 'listRowsOf'
  | 'listSealedKeysOf'
  | 'listSealedKeys'

/** What the vault reads for itself. */
function readsOf(
  { reading, looking, apart }: { reading: Turn; looking: Turn; apart: ReadApart },
  memory: VaultMemory,
): Pick<Vault, Reads> {
  const numbers: Vault['numbers'] = (dataSet, days) =>
    memory.numbers(nameOfRows(dataSet, days), () =>
      reading('read people', (engine) => readNumbers(engine, dataSet, ofDays(days))),
    )
  const households = () =>
    memory.households(() => reading('read who is behind rows', ({ reader }) => readHouseholds(reader)))
  return {
    rowsAside: (batch) => reading('look for a batch', ({ reader }) => rowsAside(reader, batch)),
    findBatch: (batch) => reading('look for a batch', ({ reader }) => findBatch(reader, batch)),
    findPeople: async (lookups) =>
      // Mostly in memory: whoever is found there waits for nobody who reads, and no transaction is needed where nothing is read.
      memory.index.findKnown(lookups) ??
      looking(
        'find people',
        async ({ reader }) =>
          (await memory.index.find(reader, lookups)) ??
          (await inTransaction(reader, () => findNumbers(reader, lookups))),
      ),
    lookupOf: (person) => reading('find a person', ({ reader }) => lookupOf(reader, person)),
    mark: () => reading('read its mark', ({ reader }) => readMark(reader)),
    personCount: () => memory.personCount(() => reading('count people', ({ reader }) => nextNumber(reader))),
    principals: () =>
      memory.principals(() => reading('read principals', ({ reader }) => readPrincipals(reader))),
    numbers,
    numbersBetween: (dataSet, { was, is }) =>
      reading('read people', (engine) => readNumbers(engine, dataSet, sql`${ofDays(was)} <> ${ofDays(is)}`)),
    numbersUnderTerms: (dataSet, terms) =>
      reading('read people', (engine) => numbersUnderTerms(engine, dataSet, terms)),
    columnsWithGaps: (dataSet, columns) =>
      reading('look for values', ({ reader }) => columnsWithGaps(reader, dataSet, columns)),
    households,
    people: (dataSet, days) =>
      memory.people(nameOfRows(dataSet, days), async () =>
        (await households()).peopleOf(await numbers(dataSet, days)),
      ),
    rowsPerPerson: (dataSet) =>
      memory.rowsPerPerson(dataSet, () =>
        reading('count rows', (engine) => readRowsPerPerson(engine, dataSet)),
      ),
    rowsPast: (dataSet, most) => reading('count rows', (engine) => readRowsPast(engine, dataSet, most)),
    rowCount: (dataSet) =>
      memory.rowCount(dataSet, () => reading('count rows', (engine) => readRowCount(engine, dataSet))),
    listWithoutRows: (page) => apart('list people', (connection) => listWithoutRows(connection, page)),
    countExpiring: (expiry) => apart('count rows', (connection) => countExpiring(connection, expiry)),
    ...rowLists({ reading, looking, apart }),
    listSealedKeysOf: (dataSet, people) =>
      reading('list keys', ({ reader }) => readKeysOf(reader, { dataSet, people })),
    listSealedKeys: (person) => reading('list keys', ({ reader }) => readKeys(reader, person)),
  }
}

/** The end of whichever engine ends first, of all that are watched. */
function watchEngines(): { ended: Promise<Fault>; watch: (engine: Engine) => Engine } {
  const { promise: ended, resolve: end } = Promise.withResolvers<Fault>()
  return {
    ended,
    watch: (engine) => {
      void engine.ended.then(end)
      return engine
    },
  }
}

async function readRowsPast(
  { reader }: Engine,
  dataSet: DataSetId,
  most: number,
): Promise<{ readonly rows: number; readonly people: number }> {
  const counts = sql`select count(*) as rows from ${sql.id(tableOf(dataSet))} group by ${sql.id(PERSON_COLUMN)}`
  const found = await runOwn(
    reader,
    sql`select coalesce(sum(rows - ${sql.lit(most)}), 0)::double, count(*)::double from (${counts}) where rows > ${sql.lit(most)}`,
  )
  const [rows, people] = (found.getRows()[0] ?? []).map(Number)
  return { rows: rows ?? 0, people: people ?? 0 }
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

async function readRowCount({ reader }: Engine, dataSet: DataSetId): Promise<number> {
  const found = await runOwn(reader, sql`select count(*) from ${sql.id(tableOf(dataSet))}`)
  return Number(found.getRows()[0]?.[0] ?? 0)
}
