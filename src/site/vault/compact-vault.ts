import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Engine } from './engine.ts'
import { inTransaction } from './engine.ts'
import type { EngineInUse } from './engine-in-use.ts'
import { forgetPeople } from './forget-person.ts'
import { generationPath, makeRoom, removeGeneration, writeGeneration } from './generations.ts'
import { runOwn } from './own-sql.ts'
import { untilLetGo } from './until-let-go.ts'
import { vaultFault } from './vault-fault.ts'
import { readMark, writeMark } from './vault-mark.ts'

/** What changes in the vault while it is copied. */
export class CopyJournal {
  #isOpen = false
  #forgotten: number[] = []
  #hasOtherChanges = false

  begin(): void {
    this.#isOpen = true
    this.#forgotten = []
    this.#hasOtherChanges = false
  }

  end(): void {
    this.#isOpen = false
  }

  /** Notes a change before it is made: that people are forgotten, or anything else. */
  note(forgotten: readonly number[] | undefined): void {
    if (!this.#isOpen) return
    if (forgotten === undefined) this.#hasOtherChanges = true
    else this.#forgotten.push(...forgotten)
  }

  get forgotten(): readonly number[] {
    return this.#forgotten
  }

  get hasOtherChanges(): boolean {
    return this.#hasOtherChanges
  }
}

/**
 * Copies the vault's file into its next generation and puts that in force. Forgetting goes on meanwhile and is done
 * again in the copy, which gets the mark that there is at its end; after any other change everything is copied once more, with changes
 * held back that time.
 */
export async function compactVault(
  engines: EngineInUse,
  {
    journal,
    clock,
    open,
  }: { journal: CopyJournal; clock: Clock; open: (generation: number) => Promise<Engine> },
): Promise<void> {
  const before = engines.current
  // Between two changes: one that is under way could have been noted too early, and be too late for the copy.
  await engines.writing.run(async () => journal.begin())
  try {
    await copyToNext(before, clock)
    const { closed } = await engines.writing.run(async () => {
      if (journal.hasOtherChanges) await copyToNext(before, clock)
      const next = await open(before.generation + 1)
      try {
        const mark = await readMark(before.writer)
        await inTransaction(next.writer, async () => {
          await forgetPeople(next.writer, journal.forgotten)
          if (mark !== undefined) await writeMark(next.writer, mark)
        })
        await requireSameRows(before, next)
        await writeGeneration(before.directory, next.generation)
      } catch (error) {
        await next[Symbol.asyncDispose]()
        await removeGeneration(before.directory, next.generation)
        throw error
      }
      return { closed: engines.replace(next) }
    })
    await closed
    await removeGeneration(before.directory, before.generation)
  } catch (error) {
    before.note(error)
    throw vaultFault(error, 'Cannot compact the vault')
  } finally {
    journal.end()
  }
}

/** The catalogue under which a copy is written. */
const NEXT_CATALOGUE = 'next'

/**
 * Writes everything that is in an engine's file into the next generation's, through a connection of its own: one
 * snapshot, while others read and write. What was deleted before is in no byte of the copy, which the file itself
 * cannot say: a columnar file keeps the bytes of deleted rows in blocks that are free.
 */
async function copyToNext(engine: Engine, clock: Clock): Promise<void> {
  const { directory, generation } = engine
  const path = await makeRoom(directory, generation + 1)
  const copier = await engine.connectToCopy()
  try {
    await untilLetGo(clock, () => runOwn(copier, sql`attach ${sql.lit(path)} as ${sql.id(NEXT_CATALOGUE)}`))
    try {
      await inTransaction(copier, () => copyTables(copier, NEXT_CATALOGUE))
    } finally {
      await runOwn(copier, sql`detach ${sql.id(NEXT_CATALOGUE)}`)
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
