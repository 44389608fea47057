import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import { Fault } from '../../../src/kernel/faults.ts'
import { ok } from '../../../src/kernel/result.ts'
import { describeDataSet } from '../../../src/site/datasets/describe-data-set.ts'
import type { ImportedBatch } from '../../../src/site/datasets/import-batch.ts'
import type { ImportParts } from '../../../src/site/datasets/import-file.ts'
import { manifestDigest } from '../../../src/site/datasets/data-set-store.ts'
import { importRows } from '../../../src/site/datasets/import-rows.ts'
import type { ColumnValues } from '../../../src/protocol/rights/restriction.ts'
import { lookupDigest } from '../../../src/site/vault/keys/lookup-digest.ts'
import { openCell } from '../../../src/site/vault/keys/person-keys.ts'
import { aManifest } from '../vault/a-manifest.ts'
import { TEST_SECRET, anImportSite } from './an-import-site.ts'
import type { ImportSite } from './an-import-site.ts'

const manifest = aManifest()
const { dataSet } = manifest
let site: ImportSite
before(async () => {
  site = await anImportSite()
  await describeDataSet(site.parts, manifest)
})
after(() => site[Symbol.asyncDispose]())

const ascending = (one: number, other: number) => one - other

function minute(wearer: string, steps = 1): ColumnValues {
  return { wearer, at: '2026-01-01T00:00:00Z', steps }
}

async function importing(
  parts: ImportParts,
  batch: string,
  rows: readonly ColumnValues[],
): Promise<ImportedBatch> {
  const outcome = await importRows(parts, {
    manifest,
    policy: manifestDigest(manifest),
    batch,
    rows,
    mayStore: () => ok(undefined),
  })
  assert.ok(outcome.ok)
  return outcome.value
}

/** Steps of everybody's rows by the name that the issuer knows them by, through the sealed keys. */
async function stored(): Promise<ReadonlyMap<string, readonly number[]>> {
  const { vault, keys, db } = site.parts
  const steps = new Map<string, number[]>()
  for (const number of await vault.numbers(dataSet)) {
    const [sealed] = await vault.listSealedKeys(number)
    const key = await keys.keyOf(db, number)
    const place = { dataSet, column: manifest.person.key }
    const name = sealed && key && openCell(sealed.sealed, { key: key.reveal(), place })
    assert.ok(name !== undefined, 'a row is of somebody whose key cannot be opened')
    assert.ok(!steps.has(name), 'somebody has two numbers')
    const lookup = lookupDigest([TEST_SECRET], { issuer: manifest.issuer, personKey: name })
    assert.deepEqual([...(await vault.findPeople([lookup]))], [number])
    const rows = await vault.listRows(dataSet, number)
    steps.set(name, rows.column(1).map(Number).toSorted(ascending))
  }
  return steps
}

async function receiptsOf(batches: readonly string[]): Promise<readonly number[]> {
  const { rows } = await sql<{ receipt: bigint | null; state: string }>`
    select receipt, state from import_batch where batch = any(${batches}::text[])`.execute(site.parts.db)
  assert.ok(rows.every(({ state }) => state === 'done'))
  return rows.map(({ receipt }) => Number(receipt))
}

let run = 0
const small = fc.record({
  batch: fc.integer({ min: 0, max: 5 }),
  people: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 3 }),
})

test('what comes at the same time is taken as if one had come after the other, each with a receipt of its own', async () => {
  const expected = new Map<string, number[]>()
  await fc.assert(
    fc.asyncProperty(fc.array(small, { minLength: 1, maxLength: 12 }), async (calls) => {
      run += 1
      const named = calls.map(({ batch, people }) => ({
        batch: `${run}-${batch}`,
        rows: people.map((person, index) => minute(`p${person}`, run * 10 + index)),
      }))
      const outcomes = await Promise.allSettled(
        named.map(({ batch, rows }) => importing(site.parts, batch, rows)),
      )
      const first = new Map<string, number>()
      let newPeople = 0
      for (const [index, outcome] of outcomes.entries()) {
        const { batch, rows } = named[index] ?? assert.fail()
        const earlier = first.get(batch)
        if (earlier === undefined) {
          first.set(batch, index)
          assert.ok(outcome.status === 'fulfilled' && outcome.value.isNew)
          assert.equal(outcome.value.rows, rows.length)
          for (const { wearer, steps } of rows) {
            if (!expected.has(String(wearer))) newPeople += 1
            expected.set(
              String(wearer),
              [...(expected.get(String(wearer)) ?? []), Number(steps)].toSorted(ascending),
            )
          }
          newPeople -= outcome.value.newPeople
        } else if (JSON.stringify(named[earlier]?.rows) === JSON.stringify(rows)) {
          assert.ok(outcome.status === 'fulfilled' && !outcome.value.isNew)
        } else {
          assert.ok(outcome.status === 'rejected' && outcome.reason instanceof Fault)
          assert.equal(outcome.reason.code, 'fault.idempotency_conflict')
        }
      }
      assert.equal(newPeople, 0, 'each new person is counted by one batch')
      const receipts = await receiptsOf([...first.keys()])
      assert.equal(receipts.length, first.size)
      assert.equal(new Set(receipts).size, first.size)
      assert.deepEqual(await stored(), expected)
    }),
    { numRuns: 12 },
  )
})

test('many who come together cost the vault a few writes, and each can ask for the receipt at once', async () => {
  const { parts } = site
  const before = parts.vault.changes()
  const done = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      importing(parts, `many-${index}`, [minute(`m${index}`)]).then(async (imported) => {
        const [receipt = -1] = await receiptsOf([`many-${index}`])
        assert.equal((await parts.receipts.bundle(receipt)).log.index, receipt)
        return imported
      }),
    ),
  )
  assert.ok(done.every(({ isNew, newPeople }) => isNew && newPeople === 1))
  // A beginning and an end: all who came in one turn are one write.
  assert.equal(parts.vault.changes() - before, 2)
})

test('what is wrong with one batch is no matter of those that came with it', async () => {
  const failing: ImportParts = {
    ...site.parts,
    vault: {
      ...site.parts.vault,
      takeTogether: async (arrival) => {
        if (arrival.batches.some(({ batch }) => batch === 'bad-3'))
          throw new Fault('fault.vault', { what: 'Cannot take this batch' })
        return site.parts.vault.takeTogether(arrival)
      },
    },
  }
  const outcomes = await Promise.allSettled(
    Array.from({ length: 6 }, (_, index) => importing(failing, `bad-${index}`, [minute(`b${index}`)])),
  )
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
  )
  const { rows } = await sql`select 1 from import_batch where batch = 'bad-3'`.execute(site.parts.db)
  assert.equal(rows.length, 0)
  assert.deepEqual([...(await stored()).keys()].filter((name) => name.startsWith('b')).toSorted(), [
    'b0',
    'b1',
    'b2',
    'b4',
    'b5',
  ])
  await failing.vault.inMotion.settled([dataSet])
  // The name is free, and whoever was to come with it comes now.
  assert.equal((await importing(site.parts, 'bad-3', [minute('b3')])).newPeople, 1)
})

test('numbers that were given to others meanwhile are not used', async () => {
  const { vault } = site.parts
  const expected = await vault.expectNumbers([Buffer.from('somebody'.padEnd(32))])
  await vault.numberPeople([Buffer.from('somebody else'.padEnd(32))])
  const count = await vault.personCount()
  await assert.rejects(
    vault.takeTogether({ expected, facts: [], batches: [] }),
    (thrown: unknown) => thrown instanceof Fault && thrown.code === 'fault.unavailable',
  )
  assert.equal(await vault.personCount(), count)
})

test('rows find their columns where the table has others too, or another order, but not by a manifest of before', async () => {
  const { parts } = site
  const older = aManifest({ dataSet: 'moved' })
  await describeDataSet(parts, older)
  const [key, ...others] = older.columns
  const newer = aManifest({ dataSet: 'moved', columns: [key, { name: 'pulse', type: 'integer' }, ...others] })
  await describeDataSet(parts, newer)
  const rows = [minute('o9')]
  const late = { manifest: older, policy: manifestDigest(older), batch: 'late', rows }
  const refused = assert.rejects(importRows(parts, { ...late, mayStore: () => ok(undefined) }), {
    code: 'fault.conflict',
    message: /its manifest changed/,
  })
  const taken = await Promise.all(
    [70, 80].map((pulse, index) =>
      importRows(parts, {
        manifest: newer,
        policy: manifestDigest(newer),
        batch: `moved-${index}`,
        rows: [{ ...minute(`o${index}`, 5), pulse }],
        mayStore: () => ok(undefined),
      }),
    ),
  )
  assert.ok(taken.every((outcome) => outcome.ok))
  await refused
  const outcome = await parts.vault.run(
    { sql: 'select steps, pulse, is_worn from ds_moved order by pulse' },
    { timeoutMs: 10_000, rowsMax: 10 },
  )
  assert.ok(outcome.ok)
  assert.deepEqual(outcome.value.rows(), [
    [5n, 70n, null],
    [5n, 80n, null],
  ])
})
