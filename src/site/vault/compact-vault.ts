import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import type { CopyJournal } from './copy-journal.ts'
import type { Engine } from './engine.ts'
import { inTransaction } from './engine.ts'
import type { EngineInUse } from './engine-in-use.ts'
import {
  generationPath,
  makeRoom,
  removeGeneration,
  VAULT_CATALOGUE,
  writeGeneration,
} from './generations.ts'
import { runOwn } from './own-sql.ts'
import { untilLetGo } from './until-let-go.ts'
import { vaultFault } from './vault-fault.ts'
import { readMark, writeMark } from './vault-mark.ts'

interface Compaction {
  readonly engines: EngineInUse
  readonly journal: CopyJournal
  readonly clock: Clock
  readonly open: (generation: number) => Promise<Engine>
}

/** Copies while others change the vault; after so many that could not be brought up to the changes, changes wait for one. */
const COPIES_BESIDE_MAX = 3

/**
 * Copies the vault's file into its next generation and puts that in force. Forgetting and correcting go on meanwhile and are done
 * again in the copy, the last few of them and the mark while changes wait. After any other change everything is copied once more.
 */
export async function compactVault(
  engines: EngineInUse,
  parts: Pick<Compaction, 'journal' | 'clock' | 'open'>,
): Promise<void> {
  const before = engines.current
  const compaction = { engines, ...parts }
  try {
    const { closed } = await engines.besides.run(() => replace(before, compaction))
    await closed
    await removeGeneration(before.directory, before.generation)
  } catch (error) {
    before.note(error)
    throw vaultFault(error, 'Cannot compact the vault')
  } finally {
    parts.journal.end()
  }
}

async function replace(before: Engine, compaction: Compaction): Promise<Replaced> {
  for (let copies = 1; ; copies += 1) {
    const replaced = await (copies <= COPIES_BESIDE_MAX ? replaceBeside : replaceAlone)(before, compaction)
    if (replaced) return replaced
  }
}

/** Another engine is in use; `closed` when nobody holds the one before any more. */
interface Replaced {
  readonly closed: Promise<void>
}

/** While others change the vault; gives nothing where the copy lacks some of that. */
async function replaceBeside(
  before: Engine,
  { engines, journal, clock, open }: Compaction,
): Promise<Replaced | undefined> {
  await copyToNext(before, clock, async (copier, copy) => {
    // Between two changes, so that it is exact which of them the copy has.
    await engines.writing.run(async () => {
      await pinMoment(copier)
      journal.begin()
    })
    await copy()
  })
  const next = await open(before.generation + 1)
  return replacedOrGone(before, next, async () => {
    // Whatever was changed during the copy; what is changed while that is done again is less each time.
    for (let rounds = 0; rounds < CATCHING_UP_ROUNDS; rounds += 1) await doAgain(next, journal)
    return engines.writing.run(async () => {
      if (journal.lacksChanges) return undefined
      await doAgain(next, journal)
      return putInForce(engines, { before, next })
    })
  })
}

const CATCHING_UP_ROUNDS = 3

/** While changes wait. */
async function replaceAlone(
  before: Engine,
  { engines, clock, open }: Compaction,
): Promise<Replaced | undefined> {
  let replaced: Replaced | undefined
  await copyToNext(before, clock, (copier, copy) =>
    engines.writing.run(async () => {
      await pinMoment(copier)
      await copy()
      const next = await open(before.generation + 1)
      replaced = await replacedOrGone(before, next, () => putInForce(engines, { before, next }))
    }),
  )
  return replaced
}

/** A copy that does not come to be in use leaves nothing. */
async function replacedOrGone(
  before: Engine,
  next: Engine,
  act: () => Promise<Replaced | undefined>,
): Promise<Replaced | undefined> {
  let replaced: Replaced | undefined
  try {
    replaced = await act()
    return replaced
  } finally {
    if (replaced === undefined) {
      await next[Symbol.asyncDispose]()
      await removeGeneration(before.directory, next.generation)
    }
  }
}

async function doAgain({ writer }: Engine, journal: CopyJournal): Promise<void> {
  const made = journal.take()
  if (made.length === 0) return
  await inTransaction(writer, async () => {
    for (const { again } of made) await again(writer)
  })
}

/** In the turn of changes. */
async function putInForce(
  engines: EngineInUse,
  { before, next }: { before: Engine; next: Engine },
): Promise<Replaced> {
  const mark = await readMark(before.writer)
  if (mark !== undefined) await inTransaction(next.writer, () => writeMark(next.writer, mark))
  await requireSameRows(before, next)
  await writeGeneration(before.directory, next.generation)
  return { closed: engines.replace(next) }
}

/** The catalogue under which a copy is written. */
const NEXT_CATALOGUE = 'next'

/** The copier's transaction sees the vault as of its first look at it, which is taken here. */
export async function pinMoment(copier: DuckDBConnection): Promise<void> {
  await copier.run('begin')
  await runOwn(copier, sql`select count(*) from ${sql.id(VAULT_CATALOGUE, 'main', '_person')}`)
}

/**
 * Writes everything that is in an engine's file into the next generation's, through a connection of its own: one
 * snapshot, which `act` pins before it lets it be copied, while others read and write. What was deleted before is in no byte of the copy,
 * which the file itself cannot say: a columnar file keeps the bytes of deleted rows in blocks that are free.
 */
async function copyToNext(
  engine: Engine,
  clock: Clock,
  act: (copier: DuckDBConnection, copy: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const { directory, generation } = engine
  const path = await makeRoom(directory, generation + 1)
  const copier = await engine.connectToCopy()
  let isCopied = false
  const detach = () => runOwn(copier, sql`detach ${sql.id(NEXT_CATALOGUE)}`)
  try {
    // Before anybody's turn, since it may have to wait for those who still hold a copy before this one.
    await untilLetGo(clock, () => runOwn(copier, sql`attach ${sql.lit(path)} as ${sql.id(NEXT_CATALOGUE)}`))
    try {
      await act(copier, async () => {
        await copyTables(copier, NEXT_CATALOGUE)
        await copier.run('commit')
        await detach()
        isCopied = true
      })
    } catch (error) {
      if (isCopied) throw error
      await copier.run('rollback').catch(() => undefined)
      await detach()
      throw error
    }
  } catch (error) {
    await removeGeneration(directory, generation + 1)
    throw error
  } finally {
    copier.closeSync()
  }
}

/** Table by table in one transaction: `copy from database` changes settings of the engine, which are locked. */
export async function copyTables(copier: DuckDBConnection, into: string): Promise<void> {
  for (const { table, definition } of await readTables(copier)) {
    const copy = sql.id(into, 'main', table)
    // The engine's own text, with its one name made ours.
    const columns = definition.slice(definition.indexOf('('))
    await runOwn(copier, sql`create table ${copy} ${sql.raw(columns)}`)
    await runOwn(copier, sql`insert into ${copy} select * from ${sql.id('vault', 'main', table)}`)
  }
}

async function readTables(
  connection: DuckDBConnection,
): Promise<readonly { readonly table: string; readonly definition: string }[]> {
  const found = await runOwn(
    connection,
    sql`select table_name, sql from duckdb_tables() where database_name = 'vault' and schema_name = 'main' order by 1`,
  )
  return found
    .getRows()
    .map(([table, definition]) => ({ table: String(table), definition: String(definition) }))
}

/**
 * Refuses a copy that does not hold the same tables with as many rows each.
 *
 * @throws Fault `fault.vault`
 */
async function requireSameRows(engine: Engine, copy: Engine): Promise<void> {
  const [there, here] = [await countRows(engine.writer), await countRows(copy.writer)]
  const isSame = there.size === here.size && [...there].every(([table, rows]) => here.get(table) === rows)
  if (isSame) return
  throw new Fault('fault.vault', {
    what: `Cannot compact the vault: the copy at "${generationPath(copy.directory, copy.generation)}" does not hold the same rows`,
  })
}

/** Rows of every table of the vault's file. */
async function countRows(connection: DuckDBConnection): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  for (const { table } of await readTables(connection)) {
    const counted = await runOwn(connection, sql`select count(*) from ${sql.id('vault', 'main', table)}`)
    counts.set(table, Number(counted.getRows()[0]?.[0]))
  }
  return counts
}
