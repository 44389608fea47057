import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import { systemClock } from '../../../src/kernel/clock.ts'
import { dataSetIdSchema } from '../../../src/protocol/wire.ts'
import { CopyJournal } from '../../../src/site/vault/copy-journal.ts'
import { EngineInUse } from '../../../src/site/vault/engine-in-use.ts'
import { openEngine } from '../../../src/site/vault/engine.ts'
import type { Engine } from '../../../src/site/vault/engine.ts'
import { openVault } from '../../../src/site/vault/open-vault.ts'
import { runOwn } from '../../../src/site/vault/own-sql.ts'
import { runStatement } from '../../../src/site/vault/run-statement.ts'
import { VaultMemory } from '../../../src/site/vault/vault-memory.ts'
import { turns } from '../../../src/site/vault/vault-turns.ts'
import type { Turn } from '../../../src/site/vault/vault-turns.ts'
import type { RowChunk } from '../../../src/site/vault/vault.ts'
import { aManifest } from './a-manifest.ts'

/*
 * The engine plans a statement by the values that there are (a small range of numbers to group by needs no hash table). Run
 * over rows that came in since, such a plan fails with "Perfect hash aggregate: aggregate group exceeded total groups", or
 * reads wrongly. Rows are put in here between the two steps, where an import may be by chance.
 */

let directory: string
let engine: Engine
let reading: Turn

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hedgerow-planned-'))
  engine = await openEngine({ directory, generation: 1 }, { memoryMiB: 256, threads: 2 })
  ;({ reading } = turns(new EngineInUse(engine), { memory: new VaultMemory(), journal: new CopyJournal() }))
})
beforeEach(() =>
  runOwn(
    engine.writer,
    sql`create or replace table ds_a as select i::integer as person, 0 as minute from range(4) as r(i)`,
  ),
)
after(async () => {
  await engine[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

/** Rows of people with higher numbers, of a later time, are committed as soon as a connection has planned its next statement. */
function addAfterPlanning(connection: DuckDBConnection, time: number): void {
  for (const step of ['prepare', 'runUntilLast'] as const) {
    const plan = connection[step].bind(connection)
    connection[step] = async (text: string) => {
      const planned = await plan(text)
      await runOwn(engine.writer, sql`insert into ds_a select i, ${time}::integer from range(5000) as r(i)`)
      return planned
    }
  }
}

test('an ask reads the rows for which it was planned, whatever is imported meanwhile', async () => {
  const connection = await engine.connect()
  const statement = {
    sql: 'select person, count(*) from ds_a where minute = 0 group by person order by person',
  }
  const limits = { timeoutMs: 5_000, rowsMax: 10 }
  const run = async () => {
    const tidied = Promise.withResolvers<void>()
    const note = () => undefined
    const ran = await runStatement(connection, {
      statement,
      limits,
      clock: systemClock,
      tidy: tidied.resolve,
      note,
    })
    await tidied.promise
    return ran
  }
  // The vault's own look at the text, which is planned too, is over.
  assert.ok((await run()).ok)
  addAfterPlanning(connection, 0)
  const outcome = await run()
  assert.ok(outcome.ok)
  assert.deepEqual(outcome.value.rows(), [
    [0, 1n],
    [1, 1n],
    [2, 1n],
    [3, 1n],
  ])
  connection.closeSync()
})

test('what the vault reads for itself is planned for the rows that it reads', async () => {
  addAfterPlanning(engine.reader, 1)
  const count = (condition: ReturnType<typeof sql>) =>
    reading('count rows', async ({ reader }) => {
      const found = await runOwn(
        reader,
        sql`select coalesce(sum(rows), 0)::integer from (
          select count(*) as rows from ds_a where ${condition} group by person) as counted`,
      )
      return found.getRows()[0]?.[0]
    })
  assert.equal(await count(sql`true`), 4)
  assert.equal(await count(sql`minute >= ${0}::integer`), 4)
})

test(
  'rows are counted while an import is under way that has not come to its end',
  { timeout: 20_000 },
  async () => {
    const watch = dataSetIdSchema.parse('watch')
    const own = await mkdtemp(join(tmpdir(), 'hedgerow-planned-'))
    {
      await using vault = await openVault({ directory: own, clock: systemClock })
      await vault.describe(aManifest())
      const counted = Promise.withResolvers<undefined>()
      const begun = Promise.withResolvers<undefined>()
      const rows: RowChunk = {
        rowCount: 1,
        values: (column) => [[0, '2026-01-01T00:00:00.000Z', 1, 61.5, true, 'walk'][column] ?? null],
      }
      const slow = async function* () {
        yield rows
        begun.resolve(undefined)
        await counted.promise
      }
      const arrival = vault.append({ manifest: aManifest(), batch: 'slow' }, slow())
      await begun.promise
      assert.deepEqual([await vault.rowCount(watch), await vault.rowsPerPerson(watch)], [0, 0])
      counted.resolve(undefined)
      assert.deepEqual(await arrival, { isNew: true, rows: 1 })
      assert.deepEqual([await vault.rowCount(watch), await vault.rowsPerPerson(watch)], [1, 1])
    }
    await rm(own, { recursive: true, force: true })
  },
)
