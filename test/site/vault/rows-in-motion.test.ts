import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { after, before, test } from 'node:test'
import { Fault } from '../../../src/kernel/faults.ts'
import { ok } from '../../../src/kernel/result.ts'
import { dataSetIdSchema, memberIdSchema } from '../../../src/protocol/wire.ts'
import { importFile } from '../../../src/site/datasets/import-file.ts'
import type { ImportParts } from '../../../src/site/datasets/import-file.ts'
import { correctPerson } from '../../../src/site/rights/correct-person.ts'
import { csvOf, testPeople } from '../../../src/testing/test-population.ts'
import { bareSite } from '../../../src/testing/test-site.ts'
import type { BareSite } from '../../../src/testing/test-site.ts'

const athletes = dataSetIdSchema.parse('athletes')
let bare: BareSite
let batches = 0

before(async () => {
  bare = await bareSite()
  await bare.fill({ dataSet: 'athletes', people: testPeople(20) })
})
after(() => bare[Symbol.asyncDispose]())

/** Whether whoever read rows just now would have to wait. */
async function isWaiting(): Promise<boolean> {
  let isOver = false
  void bare.site.vault.inMotion.settled([athletes]).then(() => {
    isOver = true
  })
  await setImmediate()
  return !isOver
}

const isUnavailable = (thrown: unknown) => thrown instanceof Fault && thrown.code === 'fault.unavailable'

type NoteRows = NonNullable<ImportParts['noteRows']>

/** Imports one person more, with a look at each moment at which the record counts a change. */
function importOne(batch: string, atCount: (cause: string) => Promise<void>) {
  const { site } = bare
  const noteRows: NoteRows = async (tx, facts) => {
    await atCount(facts.cause)
    await site.partitions.noteChange(tx, facts)
  }
  const people = testPeople(1, () => ({ id: `of-${batch}` }))
  const parts = {
    ...site,
    receipts: site.log,
    directory: site.root,
    keys: site.personKeys,
    threads: 1,
    noteRows,
  }
  return importFile(
    { ...parts, lookupKeys: site.keys.lookup },
    {
      dataSet: athletes,
      batch,
      format: 'csv',
      file: { stream: new Blob([csvOf(people)]).stream() },
      mayStore: () => ok(undefined),
    },
  )
}

test('who reads rows of an import before the record has counted them waits until it has', async () => {
  batches += 1
  const seen: [string, number, boolean][] = []
  const had = await bare.site.vault.rowCount(athletes)
  await importOne(`batch-${batches}`, async (cause) => {
    const rows = await bare.site.vault.rowCount(athletes)
    seen.push([cause.split(' ')[0] ?? '', rows - had, await isWaiting()])
  })
  assert.deepEqual(seen, [
    ['import', 0, false],
    ['imported', 1, true],
  ])
  assert.equal(await isWaiting(), false)
})

test('an import that could not be counted keeps its data set shut until it is', async () => {
  const cut = importOne('cut', (cause) =>
    cause.startsWith('imported') ? Promise.reject(new Error('the record is away')) : Promise.resolve(),
  )
  await assert.rejects(cut)
  await assert.rejects(bare.site.vault.inMotion.settled([athletes]), isUnavailable)
  await bare.site.vault.inMotion.settled(['another'])
  await importOne('cut', () => Promise.resolve())
  assert.equal(await isWaiting(), false)
})

test('an import of which nothing came into the vault shuts nothing', async () => {
  const { vault } = bare.site
  const broken = { ...vault, append: () => Promise.reject(new Error('no room')) }
  const site = { ...bare.site, vault: broken }
  const parts = { ...site, receipts: site.log, directory: site.root, keys: site.personKeys, threads: 1 }
  const refused = importFile(
    { ...parts, lookupKeys: site.keys.lookup },
    {
      dataSet: athletes,
      batch: 'none',
      format: 'csv',
      file: { stream: new Blob([csvOf(testPeople(1, () => ({ id: 'none' })))]).stream() },
      mayStore: () => ok(undefined),
    },
  )
  await assert.rejects(refused)
  assert.equal(await isWaiting(), false)
})

test('who reads corrected rows before the record has counted them waits until it has', async () => {
  const { site } = bare
  const seen: boolean[] = []
  const noteChange: typeof site.partitions.noteChange = async (tx, facts) => {
    seen.push(await isWaiting())
    await site.partitions.noteChange(tx, facts)
  }
  await correctPerson(
    { ...site, partitions: { ...site.partitions, noteChange } },
    {
      person: await bare.numberOf('p-1'),
      issuer: memberIdSchema.parse('federation'),
      requestedBy: 'issuer:federation',
      dataSet: athletes,
      set: { country: 'France' },
      where: {},
    },
  )
  assert.deepEqual(seen, [false, true])
  assert.equal(await isWaiting(), false)
})
