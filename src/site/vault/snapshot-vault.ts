import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import { makeDirectory } from '../../kernel/make-directory.ts'
import { copyTables, pinMoment } from './compact-vault.ts'
import type { Engine } from './engine.ts'
import type { EngineInUse } from './engine-in-use.ts'
import { snapshotPath } from './generations.ts'
import { runOwn } from './own-sql.ts'
import { untilLetGo } from './until-let-go.ts'

/** The catalogue under which a snapshot is written. */
const SNAPSHOT_CATALOGUE = 'snapshot'

/**
 * Writes everything that is in the vault at one moment into a file of its own, while others go on. `atMoment` runs at
 * that moment, with no change of the vault under way: what it looks at elsewhere is as a crash then would have left it.
 * Like a compaction's copy the file has no byte of what was deleted before.
 */
export async function snapshotVault<T>(
  engines: EngineInUse,
  { clock, atMoment }: { clock: Clock; atMoment: () => Promise<T> },
): Promise<{ readonly path: string; readonly moment: T }> {
  for (;;) {
    const written = await engines.hold(({ engine }) => write(engines, { engine, clock, atMoment }))
    if (written !== undefined) return written
  }
}

/** Gives nothing when the engine was replaced before its turn came: it lacks what was changed since. */
async function write<T>(
  engines: EngineInUse,
  { engine, clock, atMoment }: { engine: Engine; clock: Clock; atMoment: () => Promise<T> },
): Promise<{ readonly path: string; readonly moment: T } | undefined> {
  const { directory } = engine
  const path = snapshotPath(directory)
  await removeSnapshot(directory)
  makeDirectory(dirname(path))
  const copier = await engine.connectToCopy()
  try {
    // Before its turn, since it may have to wait for those who still hold the snapshot before this one.
    await untilLetGo(clock, () =>
      runOwn(copier, sql`attach ${sql.lit(path)} as ${sql.id(SNAPSHOT_CATALOGUE)}`),
    )
    const begun = await engines.writing.run(async () =>
      engine === engines.current ? { moment: await beginCopy(copier, atMoment) } : undefined,
    )
    if (begun === undefined) return await detach(copier)
    try {
      await copyTables(copier, SNAPSHOT_CATALOGUE)
      await copier.run('commit')
    } catch (error) {
      await copier.run('rollback').catch(() => undefined)
      throw error
    }
    // Out of its log and into the file, which is all that is taken along.
    await untilLetGo(clock, () => runOwn(copier, sql`checkpoint ${sql.id(SNAPSHOT_CATALOGUE)}`))
    await detach(copier)
    return { path, moment: begun.moment }
  } catch (error) {
    await detach(copier).catch(() => undefined)
    await removeSnapshot(directory)
    throw error
  } finally {
    copier.closeSync()
  }
}

async function detach(copier: DuckDBConnection): Promise<undefined> {
  await runOwn(copier, sql`detach ${sql.id(SNAPSHOT_CATALOGUE)}`)
}

/** Removes a snapshot that was read, or that a crash left behind. */
export async function removeSnapshot(directory: string): Promise<void> {
  await rm(dirname(snapshotPath(directory)), { recursive: true, force: true })
}

async function beginCopy<T>(copier: DuckDBConnection, atMoment: () => Promise<T>): Promise<T> {
  try {
    await pinMoment(copier)
    return await atMoment()
  } catch (error) {
    await copier.run('rollback').catch(() => undefined)
    throw error
  }
}
