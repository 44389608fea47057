import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { systemClock } from '../../../src/kernel/clock.ts'
import { sha256 } from '../../../src/kernel/digest.ts'
import { dataSetIdSchema } from '../../../src/protocol/wire.ts'
import { collectAnswer, collectWithout, runAhead } from '../../../src/site/asks/collect-answer.ts'
import type { RunAhead } from '../../../src/site/asks/collect-answer.ts'
import type { PlannedAsk } from '../../../src/site/asks/plan-ask.ts'
import { EMPTY_PARTITION } from '../../../src/site/guard/partition.ts'
import type { Partition } from '../../../src/site/guard/partition.ts'
import type { PartitionLook } from '../../../src/site/guard/partition-store.ts'
import { shortened } from '../../../src/site/guard/short-numbers.ts'
import { checkQuestion } from '../../../src/site/query/check-question.ts'
import { openVault } from '../../../src/site/vault/open-vault.ts'
import type { Vault } from '../../../src/site/vault/vault.ts'
import { aManifest } from '../vault/a-manifest.ts'

const watch = dataSetIdSchema.parse('watch')
const manifest = aManifest()
const everybody = Bitset.fromBytes(Uint8Array.of(0b1111))
const AT = '2026-01-01T00:00:00.000Z'

let directory: string
let vault: Vault
let batches = 0
/** Statements that the engine ran. */
let runs = 0
const counted = () => ({
  vault: {
    ...vault,
    run: ((...run) => {
      runs += 1
      return vault.run(...run)
    }) satisfies Vault['run'],
  },
})

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hedgerow-ahead-'))
  vault = await openVault({ directory, clock: systemClock })
  await vault.describe(manifest)
  await vault.numberPeople(['a', 'b', 'c', 'd'].map(sha256))
  await addRows(0, 1, 2, 3)
})
after(async () => {
  await vault[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})
beforeEach(() => {
  runs = 0
})

/** One row more for each of them. */
async function addRows(...people: readonly number[]): Promise<void> {
  batches += 1
  const row = (person: number) => [person, AT, 10, 61.5, true, 'walk']
  const rows = [
    { rowCount: people.length, values: (column: number) => people.map((id) => row(id)[column] ?? null) },
  ]
  await vault.append({ manifest, batch: `batch-${batches}` }, rows)
}

function planned(sql = 'select count(*) as minutes from watch'): PlannedAsk {
  const checked = checkQuestion(sql, { mode: 'aggregate', dataSets: new Map([[watch, manifest]]) })
  assert.ok(checked.ok)
  const eligibility = {
    eligible: everybody,
    isEnough: true,
    coveredColumns: [],
    excludedByPrice: new Bitset(),
    bases: [],
    sequence: 0,
    digest: 'everybody',
  }
  return {
    checked: checked.value,
    dataSets: new Map([[watch, { manifest, terms: '', eligibility }]]),
    minimumGroup: 2,
    minimumPeople: 2,
    dominanceBp: 10_000,
    reason: 'approved',
    narrowedColumns: [],
    consentSequence: 0,
  }
}

function lookAt(partition: Partition): PartitionLook {
  return {
    acquirerGroup: 'northcare',
    dataSets: [watch],
    changes: new Map(),
    terms: new Map(),
    epoch: '',
    refusals: { spent: 0, noted: 0 },
    stored: undefined,
    partition: () => partition,
    cuts: new Map(),
    holds: 0,
  }
}

function begin(expected = EMPTY_PARTITION, parts: { vault: Vault } = counted()): RunAhead {
  return runAhead(planned(), { expected: () => expected, parts })
}

async function rowsAndPeople(ahead: RunAhead, partition = EMPTY_PARTITION): Promise<readonly number[]> {
  const collected = await collectAnswer(planned(), { look: lookAt(partition), parts: counted(), ahead })
  assert.ok(collected.ok)
  const { result } = collected.value
  assert.ok(result.kind === 'groups')
  const [group] = result.groups
  return [group?.measures[0]?.count ?? 0, group?.people.count() ?? 0]
}

/** Runs while rows are changing: it is over only when they are counted. */
async function heldBack(run: () => Promise<{ readonly ok: boolean }>): Promise<void> {
  vault.inMotion.begin(watch, 'a batch')
  let isOver = false
  const running = run().finally(() => {
    isOver = true
  })
  await systemClock.sleep(200)
  assert.equal(isOver, false)
  vault.inMotion.end(watch, 'a batch')
  assert.ok((await running).ok)
}

describe('a run that was begun before the record was looked into', () => {
  test('is the run, when it is the one that would be begun then', async () => {
    const ahead = begin()
    await ahead.run
    assert.deepEqual(await rowsAndPeople(ahead), [4, 4])
    assert.equal(runs, 1)
  })

  test('counts for nothing when rows came meanwhile', async () => {
    const ahead = begin()
    await ahead.run
    await addRows(0, 1)
    assert.deepEqual(await rowsAndPeople(ahead), [6, 4])
    assert.equal(runs, 2)
  })

  test('counts for nothing when a change has begun and not ended', async () => {
    const ahead = begin()
    await ahead.run
    const before = vault.changes()
    // Rows come beside the changes of others: the change is the end of that.
    async function* late() {
      yield* [{ rowCount: 0, values: () => [] }]
    }
    const changing = vault.append({ manifest, batch: 'late' }, late())
    while (vault.changes() === before) await new Promise(setImmediate)
    await rowsAndPeople(ahead)
    assert.equal(runs, 2)
    await changing
  })

  test('counts for nothing when too few newcomers wait', async () => {
    const knowing = {
      ...EMPTY_PARTITION,
      cells: { ...EMPTY_PARTITION.cells, lower: Uint16Array.of(1, 1, 1, 0) },
      cellCount: 2,
      sizes: shortened(Int32Array.of(0, 3)),
    }
    const [rows = 0, people] = await rowsAndPeople(begin(), knowing)
    assert.ok(rows > 0)
    assert.equal(people, 3)
    assert.equal(runs, 2)
    // Where they were expected to wait it is the run.
    assert.deepEqual(await rowsAndPeople(begin(knowing), knowing), [rows, people])
    assert.equal(runs, 3)
  })

  test('does not keep the vault from being closed in order', async () => {
    const other = await mkdtemp(join(tmpdir(), 'hedgerow-ahead-'))
    const brief = await openVault({ directory: other, clock: systemClock })
    await brief.describe(manifest)
    const ahead = begin(EMPTY_PARTITION, { vault: brief })
    await brief[Symbol.asyncDispose]()
    const run = await ahead.run
    assert.ok(run.ok)
    await rm(other, { recursive: true, force: true })
  })

  test('gathers whom it tells apart beside its groups, and is over only when both are, whichever fails', async () => {
    for (const failing of [0, 1]) {
      const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
      const begun: string[] = []
      const run: Vault['run'] = async (statement, limits) => {
        const at = begun.push(statement.sql) - 1
        if (at !== failing) await held
        else await new Promise(setImmediate)
        if (at === failing) throw new Error('The engine failed')
        return vault.run(statement, limits)
      }
      const telling = planned('select count(*) as minutes from watch where heart_rate > 60')
      let isOver = false
      const { run: running } = runAhead(telling, {
        expected: () => EMPTY_PARTITION,
        parts: { vault: { ...vault, run } },
      })
      const failed = assert.rejects(running, /The engine failed/).finally(() => {
        isOver = true
      })
      while (begun.length < 2) await new Promise(setImmediate)
      await systemClock.sleep(20)
      assert.equal(isOver, false)
      letGo()
      await failed
      assert.equal(begun.length, 2)
    }
  })

  test('is held back while rows are changing that the record has not counted', async () => {
    await heldBack(() => begin().run)
  })

  test('is held back as well when it leaves somebody out, once the rows have begun to change', async () => {
    const collected = await collectAnswer(planned(), { look: lookAt(EMPTY_PARTITION), parts: counted() })
    assert.ok(collected.ok)
    const ran = { planned: planned(), collected: collected.value }
    await heldBack(() => collectWithout(ran, Bitset.of([0]), counted()))
  })
})
