import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import { makeDirectory } from '../../kernel/make-directory.ts'
import { copyTables } from './compact-vault.ts'
import type { Engine } from './engine.ts'
import type { EngineInUse } from './engine-in-use.ts'
import { VAULT_CATALOGUE, snapshotPath } from './generations.ts'
import { runOwn } from './own-sql.ts'

/** The catalogue under which a snapshot is written. */
const SNAPSHOT_CATALOGUE = 'snapshot'

/**
 * Writes everything that is in the vault at one moment into a file of its own, while others go on. `atMoment` runs at
 * that moment, with no change of the vault under way: what it looks at elsewhere is as a crash then would have left it.
 * Like a compaction's copy the file has no byte of what was deleted before.
 */
export async function snapshotVault<T>(
  engines: EngineInUse,
  atMoment: () => Promise<T>,
): Promise<{ readonly path: string; readonly moment: T }> {
  const { directory } = engines.current
  await removeSnapshot(directory)
  makeDirectory(dirname(snapshotPath(directory)))
  const { copied } = await engines.writing.run(async () => {
    const { promise: begun, resolve: hasBegun } = Promise.withResolvers<void>()
    // The engine that is in use when its turn comes: one that was replaced while it waited lacks what was changed since.
    const copied = engines.hold(({ engine }) => copyOf(engine, { atMoment, hasBegun }))
    await Promise.race([begun, copied])
    return { copied }
  })
  return copied
}

async function copyOf<T>(
  engine: Engine,
  { atMoment, hasBegun }: { atMoment: () => Promise<T>; hasBegun: () => void },
): Promise<{ readonly path: string; readonly moment: T }> {
  const copier = await engine.connectToCopy()
  try {
    const moment = await beginCopy(copier, engine, atMoment)
    hasBegun()
    try {
      await copyTables(copier, SNAPSHOT_CATALOGUE)
      await copier.run('commit')
    } catch (error) {
      await copier.run('rollback').catch(() => undefined)
      throw error
    }
    // Out of its log and into the file, which is all that is taken along.
    await runOwn(copier, sql`checkpoint ${sql.id(SNAPSHOT_CATALOGUE)}`)
    await runOwn(copier, sql`detach ${sql.id(SNAPSHOT_CATALOGUE)}`)
    return { path: snapshotPath(engine.directory), moment }
  } catch (error) {
    await runOwn(copier, sql`detach ${sql.id(SNAPSHOT_CATALOGUE)}`).catch(() => undefined)
    await removeSnapshot(engine.directory)
    throw error
  } finally {
    copier.closeSync()
  }
}

/** Removes a snapshot that was read, or that a crash left behind. */
export async function removeSnapshot(directory: string): Promise<void> {
  await rm(dirname(snapshotPath(directory)), { recursive: true, force: true })
}

/** The copier's transaction sees the vault as of its first look at it, which is taken here. */
async function beginCopy<T>(
  copier: DuckDBConnection,
  { directory }: Engine,
  atMoment: () => Promise<T>,
): Promise<T> {
  await runOwn(copier, sql`attach ${sql.lit(snapshotPath(directory))} as ${sql.id(SNAPSHOT_CATALOGUE)}`)
  await copier.run('begin')
  try {
    await runOwn(copier, sql`select count(*) from ${sql.id(VAULT_CATALOGUE, 'main', '_person')}`)
    return await atMoment()
  } catch (error) {
    await copier.run('rollback').catch(() => undefined)
    throw error
  }
}
