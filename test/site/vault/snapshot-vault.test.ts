import assert from 'node:assert/strict'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { sql } from 'kysely'
import { systemClock } from '../../../src/kernel/clock.ts'
import { LIMITS } from '../../../src/kernel/limits.ts'
import { openEngine } from '../../../src/site/vault/engine.ts'
import { EngineInUse } from '../../../src/site/vault/engine-in-use.ts'
import { runOwn } from '../../../src/site/vault/own-sql.ts'
import { createPeopleTables } from '../../../src/site/vault/people-table.ts'
import { snapshotVault } from '../../../src/site/vault/snapshot-vault.ts'

// A statement over all catalogues holds that of a copy too, until its transaction ends; the engine refuses to wait for it.

const HELD_MS = 60

test('a snapshot waits until whoever looks over its catalogue, or that of one before, is done', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'hedgerow-snapshot-'))
  const limits = { memoryMiB: LIMITS.vaultMemoryMiB, threads: LIMITS.vaultThreads }
  const engine = await openEngine({ directory, generation: 1 }, limits)
  const engines = new EngineInUse(engine)
  let looked: Promise<unknown> = Promise.resolve()
  const look = async () => {
    await engine.reader.run('begin')
    await engine.reader.run('select count(*) from duckdb_tables()')
    looked = setTimeout(HELD_MS).then(() => engine.reader.run('commit'))
  }
  const snapshot = (atMoment: () => Promise<void>) => snapshotVault(engines, { clock: systemClock, atMoment })
  try {
    await createPeopleTables(engine.writer)
    const { path } = await snapshot(look)
    assert.ok((await stat(path)).size > 0)
    await looked

    const earlier = await engine.connectToCopy()
    await runOwn(earlier, sql`attach ${sql.lit(path)} as snapshot`)
    await look()
    await runOwn(earlier, sql`detach snapshot`)
    earlier.closeSync()
    await snapshot(() => Promise.resolve())
    assert.ok((await stat(path)).size > 0)
    await looked
  } finally {
    await engines.close()
    await rm(directory, { recursive: true, force: true })
  }
})
