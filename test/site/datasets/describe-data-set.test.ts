import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { Fault } from '../../../src/kernel/faults.ts'
import type { FieldProblem } from '../../../src/kernel/faults.ts'
import { parseWith } from '../../../src/kernel/parse.ts'
import { manifestSchema } from '../../../src/protocol/data-set.ts'
import { describeDataSet } from '../../../src/site/datasets/describe-data-set.ts'
import { findDataSet } from '../../../src/site/datasets/data-set-store.ts'
import { importTurn } from '../../../src/site/datasets/import-batch.ts'
import { readImports } from '../../../src/site/datasets/import-store.ts'
import { listDataSets } from '../../../src/site/datasets/list-data-sets.ts'
import { retireDataSet } from '../../../src/site/datasets/retire-data-set.ts'
import { aManifest, WATCH } from '../vault/a-manifest.ts'
import { anImportSite, bytesOf } from './an-import-site.ts'
import type { ImportSite } from './an-import-site.ts'

let site: ImportSite
before(async () => {
  site = await anImportSite()
})
after(() => site[Symbol.asyncDispose]())

const columns = WATCH.columns

test('every wrong field of a manifest is named', () => {
  const fields = problemsOf({ dataSet: 'Watch', title: 5, issuer: 'watchmaker', unknown: 1 }).map(
    ({ field }) => field,
  )
  for (const field of ['dataSet', 'title', 'columns', 'tariff']) assert.ok(fields.includes(field), field)
})

function problemsOf(manifest: unknown): readonly FieldProblem[] {
  const parsed = parseWith(manifestSchema, manifest)
  return parsed.ok ? [] : parsed.error
}

test('describeDataSet() is idempotent, and each change is a version of its own', async () => {
  const manifest = aManifest({ dataSet: 'versions' })
  const first = await describeDataSet(site.parts, manifest)
  assert.deepEqual([first.isNew, first.version], [true, 1])
  const again = await describeDataSet(site.parts, manifest)
  assert.deepEqual([again.isNew, again.version, again.manifestDigest], [false, 1, first.manifestDigest])
  const wider = aManifest({
    dataSet: 'versions',
    title: 'Another title',
    columns: [...columns, { name: 'mood', type: 'text' }],
  })
  const second = await describeDataSet(site.parts, wider)
  assert.deepEqual([second.isNew, second.version], [true, 2])
  const found = await findDataSet(site.parts.db, manifest.dataSet)
  assert.deepEqual(found?.manifest, wider)
  const { rows } = await sql<{ count: bigint }>`
    select count(*) from data_set_version where data_set = 'versions'`.execute(site.parts.db)
  assert.equal(rows[0]?.count, 2n)
})

test('describeDataSet() waits for an import under way only where it changes terms', async () => {
  const manifest = aManifest({ dataSet: 'awaited' })
  const wider = aManifest({ dataSet: 'awaited', title: 'Another' })
  const importing = Promise.withResolvers<void>()
  const turn = importTurn(site.parts.vault).run(() => importing.promise)
  await describeDataSet(site.parts, manifest)
  assert.equal((await describeDataSet(site.parts, manifest)).isNew, false)
  const changed = describeDataSet(site.parts, wider)
  assert.equal((await describeDataSet(site.parts, manifest)).version, 1)
  importing.resolve()
  await turn
  assert.equal((await changed).version, 2)
})

test('describeDataSet() refuses what rows already taken cannot follow, naming the fields', async () => {
  await describeDataSet(site.parts, aManifest({ dataSet: 'fixed' }))
  const change = async (changes: Parameters<typeof aManifest>[0], field: string) => {
    await assert.rejects(
      describeDataSet(site.parts, aManifest({ dataSet: 'fixed', ...changes })),
      (fault: unknown) => {
        assert.ok(fault instanceof Fault)
        assert.equal(fault.code, 'fault.conflict')
        assert.deepEqual(
          fault.errors.map((error) => error.field),
          [field],
        )
        return true
      },
    )
  }
  const replaced = (name: string, by: object) =>
    columns.map((column) => (column.name === name ? { ...column, ...by } : column))
  await change({ issuer: 'rival' }, 'issuer')
  await change({ columns: columns.filter(({ name }) => name !== 'activity') }, 'columns')
  await change({ columns: replaced('steps', { type: 'number' }) }, 'columns[2].type')
  await change({ columns: replaced('activity', { sensitivity: 'free_text' }) }, 'columns[5].sensitivity')
  await change({ person: { key: 'activity' } }, 'person.key')
  assert.equal((await findDataSet(site.parts.db, aManifest({ dataSet: 'fixed' }).dataSet))?.version, 1)
})

test('describeDataSet() wants dates for birth dates and texts for residences', async () => {
  const manifest = aManifest({
    dataSet: 'ages',
    person: { key: 'wearer', birthDate: 'at', residence: 'steps' },
  })
  await assert.rejects(describeDataSet(site.parts, manifest), (fault: unknown) => {
    assert.ok(fault instanceof Fault)
    assert.deepEqual(
      fault.errors.map(({ field }) => field),
      ['person.birthDate', 'person.residence'],
    )
    return true
  })
})

test('retireDataSet() removes the rows, keeps the name taken and the batches on record', async () => {
  const manifest = aManifest({ dataSet: 'short_lived' })
  await site.import(manifest, {
    batch: 'only',
    file: { stream: bytesOf('wearer,at,steps,heart_rate,is_worn,activity\nann,2026-01-01,1,1,true,walk\n') },
  })
  await retireDataSet(site.parts, manifest.dataSet)
  await retireDataSet(site.parts, manifest.dataSet)
  const summary = (await listDataSets(site.parts)).find(({ dataSet }) => dataSet === manifest.dataSet)
  assert.notEqual(summary?.retiredAt, undefined)
  assert.deepEqual([summary?.rows, summary?.people], [0, 0])
  await assert.rejects(describeDataSet(site.parts, manifest), { code: 'fault.conflict' })
  await assert.rejects(site.import(manifest, { file: { stream: bytesOf('x') } }), { code: 'fault.conflict' })
  const imports = await readImports(site.parts.db, { dataSet: manifest.dataSet, after: 0, limit: 10 })
  assert.deepEqual(
    imports.map(({ batch, rows, newPeople }) => ({ batch, rows, newPeople })),
    [{ batch: 'only', rows: 1, newPeople: 1 }],
  )
  await assert.rejects(retireDataSet(site.parts, aManifest({ dataSet: 'never_was' }).dataSet), {
    code: 'fault.not_found',
  })
})

test('of issuers who describe one new name at once, one has it with its own table and the others are told', async () => {
  const issuers = ['maker-one', 'maker-two', 'maker-three', 'maker-four']
  for (let round = 0; round < 5; round += 1) {
    const dataSet = `contested_${round}`
    const described = await Promise.allSettled(
      issuers.map((issuer, index) =>
        describeDataSet(
          site.parts,
          aManifest({
            dataSet,
            issuer,
            columns: [...columns, { name: `own_${index}`, type: 'text', isRequired: false }],
          }),
        ),
      ),
    )
    const refused = described.flatMap((one) => (one.status === 'rejected' ? [one.reason as Fault] : []))
    assert.equal(refused.length, issuers.length - 1)
    for (const { code, message } of refused) {
      assert.equal(code, 'fault.conflict')
      assert.equal(message, `Cannot describe "${dataSet}": the name is taken`)
    }
    const winner = described.findIndex(({ status }) => status === 'fulfilled')
    const kept = await findDataSet(site.parts.db, aManifest({ dataSet }).dataSet)
    assert.equal(kept?.manifest.issuer, issuers[winner])
    assert.equal(kept?.version, 1)
    // The table is the winner's as well: what the others would have added is not in it.
    const head = `wearer,at,steps,heart_rate,is_worn,activity,own_${winner}`
    const line = `${head}\nw-${round},2026-01-02T10:00:00Z,1,60,true,walk,mine\n`
    const imported = await site.import(kept.manifest, { batch: 'first', file: { stream: bytesOf(line) } })
    assert.equal(imported.rows, 1)
  }
})

test('a period that is none is said to be so in one sentence, and one that is too long in another', () => {
  const said = (period: unknown) =>
    problemsOf({ ...WATCH, retention: { period, from: '2026-01-01' } }).map(
      ({ field, expected }) => `${field}: ${expected}`,
    )
  const none = 'retention.period: expected an ISO 8601 duration of years, months, weeks and days such as P5Y'
  for (const period of [undefined, 5, '', 'P', '5 years', 'PT5H'])
    assert.deepEqual(said(period), [none], JSON.stringify(period))
  assert.deepEqual(said('P5000Y'), ['retention.period: expected at most 1000 years'])
  assert.deepEqual(said('P1Y'), [])
})
