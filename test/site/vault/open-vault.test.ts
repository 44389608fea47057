import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../../src/kernel/clock.ts'
import { sha256 } from '../../../src/kernel/digest.ts'
import { openVault } from '../../../src/site/vault/open-vault.ts'
import type { RowChunk, VaultResult } from '../../../src/site/vault/vault.ts'
import { aManifest } from './a-manifest.ts'
import { freshDirectory, freshVault, watch, LIMITS, rowsOf, minute, rowsFrom } from './vault-fixture.ts'

test('append() takes a batch once, and what was acknowledged is there after opening again', async () => {
  const directory = await freshDirectory()
  {
    await using vault = await openVault({ directory, clock: systemClock })
    await vault.describe(aManifest())
    await vault.numberPeople([sha256('a'), sha256('b')])
    const batch = { manifest: aManifest(), batch: 'one' }
    assert.deepEqual(await vault.append(batch, rowsOf(minute(0, 10), minute(1, 20))), {
      isNew: true,
      rows: 2,
    })
    assert.deepEqual(await vault.append(batch, rowsOf(minute(0, 99))), { isNew: false, rows: 2 })
  }
  await using vault = await openVault({ directory, clock: systemClock })
  assert.equal(await vault.findBatch({ dataSet: watch, batch: 'one' }), 2)
  assert.deepEqual(
    await rowsFrom(vault, 'select "_p", "at", steps, heart_rate, is_worn, activity from ds_watch order by 1'),
    [
      [0, '2026-01-01T00:00:00.000Z', 10n, 61.5, true, 'walk'],
      [1, '2026-01-01T00:00:00.000Z', 20n, 61.5, true, 'walk'],
    ],
  )
})

test('append() takes nothing of a batch whose rows break off', async () => {
  await using vault = await freshVault()
  await vault.describe(aManifest())
  function* broken(): Generator<RowChunk> {
    yield* rowsOf(minute(0, 1))
    throw new Error('the file broke off')
  }
  await assert.rejects(vault.append({ manifest: aManifest(), batch: 'one' }, broken()))
  assert.deepEqual(await rowsFrom(vault, 'select count(*) from ds_watch'), [[0n]])
  assert.deepEqual(await vault.append({ manifest: aManifest(), batch: 'one' }, rowsOf(minute(0, 1))), {
    isNew: true,
    rows: 1,
  })
})

test('take() moves all parts that were set aside, at once and once', async () => {
  await using vault = await freshVault()
  await vault.describe(aManifest())
  const batch = { dataSet: watch, batch: 'long' }
  const rows = { manifest: aManifest(), batch: 'long' }
  assert.equal(await vault.setAside({ ...rows, from: 0 }, rowsOf(minute(0, 1))), 1)
  assert.equal(await vault.setAside({ ...rows, from: 0 }, rowsOf(minute(0, 1))), 1)
  assert.equal(await vault.setAside({ ...rows, from: 1 }, rowsOf(minute(1, 2))), 2)
  await assert.rejects(vault.setAside({ ...rows, from: 5 }, rowsOf(minute(1, 2))), { code: 'fault.vault' })
  assert.equal(await vault.rowsAside(batch), 2)
  assert.deepEqual(await rowsFrom(vault, 'select count(*) from ds_watch'), [[0n]])
  assert.deepEqual(await vault.take(batch), { isNew: true, rows: 2 })
  assert.deepEqual(await vault.take(batch), { isNew: false, rows: 2 })
  assert.equal(await vault.rowsAside(batch), 0)
  assert.deepEqual(await rowsFrom(vault, 'select sum(steps) from ds_watch'), [[3n]])
})

test('describe() adds a column and refuses one of another type; rows find their columns by name', async () => {
  await using vault = await freshVault()
  await vault.describe(aManifest())
  await vault.append({ manifest: aManifest(), batch: 'one' }, rowsOf(minute(0, 1)))
  const columns = aManifest().columns
  const wider = aManifest({
    columns: [...columns.slice(0, 1), { name: 'mood', type: 'text' }, ...columns.slice(1)],
  })
  await vault.describe(wider)
  const [person, ...rest] = minute(1, 2)
  await vault.append({ manifest: wider, batch: 'two' }, rowsOf([person ?? null, 'glad', ...rest]))
  assert.deepEqual(await rowsFrom(vault, 'select steps, mood from ds_watch order by steps'), [
    [1n, null],
    [2n, 'glad'],
  ])
  const other = aManifest({
    columns: columns.map((column) =>
      column.name === 'steps' ? { ...column, type: 'text', bounds: undefined } : column,
    ),
  })
  await assert.rejects(vault.describe(other), { code: 'fault.conflict' })
})

test('correct() writes what comes at the same time together, and what cannot be written alone fails', async () => {
  await using vault = await freshVault()
  await vault.describe(aManifest())
  await vault.numberPeople(Array.from({ length: 5 }, (_, index) => sha256(`${index}`)))
  const batch = { manifest: aManifest(), batch: 'one' }
  await vault.append(batch, rowsOf(...[0, 1, 2, 3, 4].map((person) => minute(person, 1))))
  const before = vault.changes()
  const outcomes = await Promise.allSettled(
    [10, 11, 'many', 13, 14].map((steps, number) =>
      vault.correct({
        manifest: aManifest(),
        number,
        person: number,
        set: new Map([['steps', steps]]),
        where: new Map(),
        facts: {},
      }),
    ),
  )
  assert.equal(vault.changes() - before, 2, 'one write')
  assert.deepEqual(
    outcomes.map((one) => (one.status === 'fulfilled' ? one.value.rows : one.status)),
    [1, 1, 'rejected', 1, 1],
  )
  assert.ok(outcomes.every((one) => one.status === 'fulfilled' || !/many/.test(String(one.reason))))
  const steps = await Promise.all([0, 1, 2, 3, 4].map((number) => vault.listRows(watch, number)))
  assert.deepEqual(
    steps.map((rows) => rows.column(1)[0]),
    [10n, 11n, 1n, 13n, 14n],
  )
})

test('openVault() says when another process or a stranger holds the file', async () => {
  const directory = await freshDirectory()
  await using vault = await openVault({ directory, clock: systemClock })
  const script = `
    import { openVault } from ${JSON.stringify(new URL('../../../src/site/vault/open-vault.ts', import.meta.url).href)}
    await openVault({ directory: ${JSON.stringify(directory)}, clock: {} }).catch((error) => console.log(error.code))`
  const child = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script], {
    encoding: 'utf8',
  })
  assert.equal(child.stdout.trim(), 'fault.directory_in_use')
  assert.equal(await vault.personCount(), 0)
})

test('snapshot() writes a whole copy of one moment that opens, while others write', async () => {
  await using vault = await freshVault()
  await vault.describe(aManifest())
  await vault.append({ manifest: aManifest(), batch: 'one' }, rowsOf(minute(0, 1)))
  const directory = await freshDirectory()
  let later: Promise<unknown> = Promise.resolve()
  const { path, moment } = await vault.snapshot(() => {
    later = vault.append({ manifest: aManifest(), batch: 'two' }, rowsOf(minute(0, 1)))
    return Promise.resolve('now')
  })
  await later
  assert.equal(moment, 'now')
  await copyFile(path, join(directory, 'vault.duckdb'))
  await vault.removeSnapshot()
  await assert.rejects(readFile(path), { code: 'ENOENT' })
  assert.deepEqual(await rowsFrom(vault, 'select count(*) from ds_watch'), [[2n]])
  await using copy = await openVault({ directory, clock: systemClock })
  assert.deepEqual(await rowsFrom(copy, 'select count(*) from ds_watch'), [[1n]])
})

test('retire() leaves nothing of a data set but the numbers of its people', async () => {
  await using vault = await freshVault()
  await vault.describe(aManifest())
  await vault.numberPeople([sha256('a')])
  await vault.append({ manifest: aManifest(), batch: 'one' }, rowsOf(minute(0, 1)))
  await vault.retire(watch)
  await assert.rejects(vault.run({ sql: 'select * from ds_watch' }, LIMITS), { code: 'fault.vault' })
  assert.equal(await vault.findBatch({ dataSet: watch, batch: 'one' }), undefined)
  assert.equal(await vault.personCount(), 1)
})

test('whoever had rows again in a data set that is retired is not one whose last row ended by an expiry', async () => {
  await using vault = await freshVault()
  await vault.describe(aManifest())
  await vault.numberPeople([sha256('a'), sha256('b')])
  await vault.append({ manifest: aManifest(), batch: 'one' }, rowsOf(minute(0, 1), minute(1, 1)))
  await vault.expire({ dataSet: watch, keep: [] })
  const without = async () =>
    (await vault.listWithoutRows({ after: -1, limit: 9 })).map(({ person }) => person)
  assert.deepEqual(await without(), [0, 1])
  const other = aManifest({ dataSet: 'watch_again' })
  await vault.describe(other)
  await vault.append({ manifest: other, batch: 'one' }, rowsOf(minute(0, 1)))
  assert.deepEqual(await without(), [1])
  const [next, ...none] = await vault.listWithoutRows({ after: -1, limit: 1 })
  assert.deepEqual([next?.person, none], [1, []], 'a page is not empty because all of a stretch have rows')
  assert.deepEqual(await vault.listWithoutRows({ after: 1, limit: 1 }), [])
  await vault.retire(other.dataSet)
  assert.deepEqual(await without(), [1])
  await vault.retire(watch)
  assert.deepEqual(await without(), [1], 'a data set that held nothing of theirs any more changes nothing')
})

test('rows of people who are asked for at the same time are each given as if they had been asked for alone', async () => {
  await using vault = await freshVault()
  await vault.describe(aManifest())
  await vault.numberPeople([sha256('a'), sha256('b'), sha256('c')])
  const rows = rowsOf(minute(0, 1), minute(1, 2), minute(0, 3), minute(1, 4), minute(1, 5))
  await vault.append({ manifest: aManifest(), batch: 'one' }, rows)
  const alone: VaultResult[] = []
  for (const person of [1, 0, 2, 1]) alone.push(await vault.listRows(watch, person))
  const together = await Promise.all([1, 0, 2, 1].map((person) => vault.listRows(watch, person)))
  for (const [index, one] of together.entries()) {
    const other = alone[index]
    assert.deepEqual(one.columns, other?.columns)
    assert.deepEqual(one.rows(), other?.rows())
    assert.equal(one.rowCount, other?.rowCount)
    assert.deepEqual(one.column(1), other?.column(1))
    assert.deepEqual(one.doubles(1), other?.doubles(1))
  }
  assert.deepEqual(
    together.map(({ rowCount }) => rowCount),
    [3, 2, 0, 3],
  )
})
