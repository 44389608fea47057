import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { systemClock } from '../../../src/kernel/clock.ts'
import { sha256 } from '../../../src/kernel/digest.ts'
import type { Manifest } from '../../../src/protocol/data-set.ts'
import { CopyJournal } from '../../../src/site/vault/copy-journal.ts'
import { openVault } from '../../../src/site/vault/open-vault.ts'
import type { RowChunk, Vault, VaultValue } from '../../../src/site/vault/vault.ts'
import { correction } from './a-correction.ts'
import { aManifest } from './a-manifest.ts'
import { aroundStatements } from './engine-calls.ts'
import { freshDirectory, minute, rowsFrom, rowsOf, watch } from './vault-fixture.ts'

/* What others do while a long batch comes in. */

const manifest: Manifest = aManifest()
const [ANN, BOB, CAT] = [0, 1, 2]
let vault: Vault

before(async () => {
  vault = await openVault({ directory: await freshDirectory(), clock: systemClock })
})
after(() => vault[Symbol.asyncDispose]())

let batches = 0
/** Three people, each with one row; whoever was there before is gone. */
beforeEach(async () => {
  await vault.retire(watch)
  await vault.describe(manifest)
  batches += 1
})

/** Rows that come when they are let. */
function gated(...rows: readonly (readonly VaultValue[])[]) {
  const { promise: gate, resolve: letCome } = Promise.withResolvers<void>()
  const { promise: isUnderWay, resolve: hasBegun } = Promise.withResolvers<void>()
  async function* come(): AsyncGenerator<RowChunk> {
    yield* rowsOf(...rows.slice(0, 1))
    hasBegun()
    await gate
    yield* rowsOf(...rows.slice(1))
  }
  return { rows: come(), letCome, isUnderWay }
}

/** People with one row each of so many steps, by their numbers. */
async function people(...names: readonly string[]): Promise<readonly number[]> {
  const numbers = [...(await vault.numberPeople(names.map((name) => sha256(`${name} ${batches}`))))]
  await vault.append(
    { manifest, batch: `first ${batches}` },
    rowsOf(...numbers.map((one) => minute(one, 10))),
  )
  return numbers
}

const rows = async () =>
  (await rowsFrom(vault, 'select "_p", steps::integer from ds_watch order by all')).map(([person, steps]) => [
    Number(person),
    Number(steps),
  ])

for (const way of ['append', 'set aside and take'] as const) {
  /** A batch on its way in, and its end. */
  const bring = async (source: AsyncIterable<RowChunk>) => {
    const batch = `second ${batches}`
    if (way === 'append') return vault.append({ manifest, batch }, source)
    const aside = await vault.setAside({ manifest, batch, from: 0 }, source)
    assert.equal(await vault.rowsAside({ dataSet: watch, batch }), aside)
    return vault.take({ dataSet: watch, batch })
  }

  test(`${way}: nobody waits for rows on their way in, whom nobody sees, and no change is lost`, async () => {
    const [ann = ANN, bob = BOB, cat = CAT] = await people('ann', 'bob', 'cat')
    const { rows: source, letCome, isUnderWay } = gated(minute(ann, 1), minute(bob, 2), minute(cat, 3))
    const brought = bring(source)
    await isUnderWay
    await vault.correct(correction(ann, 10, 20))
    await vault.forget(bob)
    assert.deepEqual(await rows(), [
      [ann, 20],
      [cat, 10],
    ])
    letCome()
    await brought
    const expected = [
      [ann, 1],
      [ann, 20],
      [cat, 3],
      [cat, 10],
    ]
    assert.deepEqual(await rows(), expected)
    assert.deepEqual([...(await vault.people(watch))], [ann, cat])
    assert.equal(await vault.rowCount(watch), 4)
    await vault.compact()
    assert.deepEqual(await rows(), expected)
  })

  test(`${way}: rows that fail on their way leave nothing, and the same batch again is taken`, async () => {
    const [ann = ANN] = await people('ann')
    async function* torn(): AsyncGenerator<RowChunk> {
      yield* rowsOf(minute(ann, 1))
      await vault.correct(correction(ann, 10, 20))
      throw new Error('The file changed')
    }
    await assert.rejects(bring(torn()))
    assert.deepEqual(await rows(), [[ann, 20]])
    await bring(gatedOpen(minute(ann, 1)))
    assert.deepEqual(await rows(), [
      [ann, 1],
      [ann, 20],
    ])
  })

  test(`${way}: rows of a household go with the last of it who is forgotten on their way`, async () => {
    const [ann = ANN, bob = BOB, cat = CAT] = await people('ann', 'bob', 'cat')
    const [home = -1] = await vault.numberPeople([sha256(`home ${batches}`)])
    await vault.keepHouseholds([{ household: home, members: [ann, bob] }])
    const { rows: source, letCome, isUnderWay } = gated(minute(home, 1), minute(cat, 2), minute(home, 3))
    const brought = bring(source)
    await isUnderWay
    await Promise.all([vault.forget(ann), vault.forget(bob)])
    letCome()
    await brought
    assert.deepEqual(await rows(), [
      [cat, 2],
      [cat, 10],
    ])
    assert.deepEqual([...(await vault.people(watch))], [cat])
  })
}

async function* gatedOpen(...all: readonly (readonly VaultValue[])[]): AsyncGenerator<RowChunk> {
  yield* rowsOf(...all)
}

test('a compaction waits for rows on their way in, and they for it', async (t) => {
  const begun = t.mock.method(CopyJournal.prototype, 'begin')
  const [ann = ANN] = await people('ann')
  const { rows: source, letCome, isUnderWay } = gated(minute(ann, 1), minute(ann, 2))
  const brought = vault.append({ manifest, batch: `second ${batches}` }, source)
  await isUnderWay
  const compacted = vault.compact()
  const after = compacted.then(() => vault.rowCount(watch))
  const late = vault.append({ manifest, batch: `third ${batches}` }, gatedOpen(minute(ann, 3)))
  await vault.correct(correction(ann, 10, 20))
  // Long enough for a copy that does not wait.
  await setTimeout(100)
  assert.equal(begun.mock.callCount(), 0)
  letCome()
  await Promise.all([brought, late])
  assert.ok((await after) >= 3)
  assert.deepEqual(await rows(), [
    [ann, 1],
    [ann, 2],
    [ann, 3],
    [ann, 20],
  ])
})

test('beforeShown is told when all rows are there, before the commit, and not of a batch that was taken', async (t) => {
  const [ann = ANN] = await people('ann')
  const said: string[] = []
  aroundStatements(t, (text, run) => {
    if (text === 'commit') said.push('commit')
    return run()
  })
  const batch = { manifest, batch: `second ${batches}`, beforeShown: () => void said.push('shown') }
  async function* last(): AsyncGenerator<RowChunk> {
    yield* rowsOf(minute(ann, 1))
    said.push('last row')
  }
  await vault.append(batch, last())
  assert.deepEqual(said, ['last row', 'shown', 'commit'])
  await vault.append(batch, last())
  assert.deepEqual(said.slice(3), ['commit'])
})

test('a batch whose turn comes when the vault is closed is refused, and nothing of it is there', async () => {
  const directory = await freshDirectory()
  const closing = await openVault({ directory, clock: systemClock })
  await closing.describe(manifest)
  const { rows: source, letCome, isUnderWay } = gated(minute(ANN, 1), minute(BOB, 2))
  const first = closing.append({ manifest, batch: 'first' }, source)
  await isUnderWay
  const late = closing.append({ manifest, batch: 'late' }, gatedOpen(minute(CAT, 3)))
  const closed = closing[Symbol.asyncDispose]()
  letCome()
  await assert.rejects(late, { code: 'fault.unavailable' })
  await closed
  assert.deepEqual(await first, { isNew: true, rows: 2 })
  await using again = await openVault({ directory, clock: systemClock })
  assert.equal(await again.rowCount(watch), 2)
})
