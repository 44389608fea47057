import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { DuckDBConnection } from '@duckdb/node-api'
import { systemClock } from '../../../src/kernel/clock.ts'
import { sha256 } from '../../../src/kernel/digest.ts'
import { CopyJournal } from '../../../src/site/vault/copy-journal.ts'
import { openVault } from '../../../src/site/vault/open-vault.ts'
import type { Vault } from '../../../src/site/vault/vault.ts'
import { correction } from './a-correction.ts'
import { aManifest } from './a-manifest.ts'
import { aroundStatements } from './engine-calls.ts'
import { freshDirectory, minute, rowsFrom, rowsOf } from './vault-fixture.ts'

const manifest = aManifest()
const change = (sizeBytes: number) => ({ sizeBytes, again: () => Promise.resolve() })

test('CopyJournal keeps so many bytes of changes and then none of them, until another copy is begun', () => {
  const journal = new CopyJournal(10_000)
  journal.note(change(1))
  journal.begin()
  assert.equal(journal.take().length, 0, 'what was before the copy is in it')
  for (let made = 0; made < 3; made += 1) journal.note(change(2_500))
  assert.equal(journal.take().length, 3)
  for (let made = 0; made < 3; made += 1) journal.note(change(2_500))
  assert.equal(journal.lacksChanges, false, 'what was taken takes no room')
  journal.note(change(2_500))
  assert.equal(journal.lacksChanges, true)
  journal.note(change(1))
  assert.equal(journal.take().length, 0, 'some of the changes are worse than none')
  journal.begin()
  assert.equal(journal.lacksChanges, false)
  journal.note(undefined)
  journal.note(change(1))
  assert.deepEqual([journal.lacksChanges, journal.take().length], [true, 0])
})

/** A commit of a correction that is made, of which the vault hears that it failed: as when the disk is full just then. */
function commitUnheard(t: TestContext, isMeant: () => boolean): void {
  // A copy that is made meanwhile commits on a connection of its own.
  const correcting = new Set<DuckDBConnection>()
  aroundStatements(t, async (text, run, on) => {
    const result = await run()
    if (text.includes('update "ds_watch"')) correcting.add(on)
    if (text !== 'commit' || !correcting.delete(on)) return result
    if (isMeant()) throw new Error('TransactionContext Error: Failed to commit')
    return result
  })
}

async function filled(people: number): Promise<Vault> {
  const vault = await openVault({ directory: await freshDirectory(), clock: systemClock })
  await vault.describe(manifest)
  await vault.numberPeople(Array.from({ length: people }, (_, index) => sha256(`p${index}`)))
  await vault.append(
    { manifest, batch: 'one' },
    rowsOf(...Array.from({ length: people }, (_, one) => minute(one, 10))),
  )
  return vault
}

/** Compacts, and changes something after the moment of which the first copy is. */
async function compactAndChange<T>(t: TestContext, vault: Vault, act: () => Promise<T>): Promise<T> {
  const begun = t.mock.method(CopyJournal.prototype, 'begin')
  const compacted = vault.compact()
  while (begun.mock.callCount() === 0) await setImmediate()
  const changed = act()
  await Promise.allSettled([compacted, changed])
  await compacted
  return changed
}

const steps = (vault: Vault) => rowsFrom(vault, 'select "_p", steps::integer from ds_watch order by 1')

test('a correction of which it is not known whether it was made is not lost in a copy that is begun before it', async (t) => {
  await using vault = await filled(3)
  let isMeant = true
  commitUnheard(t, () => isMeant)
  const impossible = { ...correction(0, 10, 20), set: new Map([['steps', 'many']]) }
  const became = await compactAndChange(t, vault, () =>
    // Written together they fail for the first of them, and then each is written alone.
    Promise.allSettled([vault.correct(impossible), vault.correct(correction(1, 10, 20))]),
  )
  isMeant = false
  assert.deepEqual(
    became.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  assert.deepEqual(await steps(vault), [
    [0, 10],
    [1, 20],
    [2, 10],
  ])
})

test('corrections of which it is not known whether they were made together are not made a second time', async (t) => {
  await using vault = await filled(3)
  let isMeant = true
  commitUnheard(t, () => {
    const was = isMeant
    isMeant = false
    return was
  })
  // Both once more would make 30 of what has become 20.
  const both = [correction(1, 20, 30), correction(1, 10, 20)]
  const became = await Promise.allSettled(both.map((one) => vault.correct(one)))
  assert.deepEqual(
    became.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  assert.deepEqual(await steps(vault), [
    [0, 10],
    [1, 20],
    [2, 10],
  ])
})
