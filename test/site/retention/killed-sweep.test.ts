import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import type { WireManifest } from '../../../src/sdk/issuer.ts'
import { dataSetIdSchema } from '../../../src/protocol/wire.ts'
import { sweepRetention } from '../../../src/site/retention/sweep-retention.ts'
import { erasuresIn } from '../../../src/site/rights/erasure-store.ts'
import { listSweeps } from '../../../src/site/retention/sweep-store.ts'
import { filesOf } from '../../../src/testing/files-of.ts'
import { plainMarkerSearch } from '../../../src/testing/find-markers.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { testManifest, testPeople } from '../../../src/testing/test-population.ts'
import { bareSite } from '../../../src/testing/test-site.ts'
import type { BareSite } from '../../../src/testing/test-site.ts'

/** Every step in `make faults`; some beside the other tests: before the guard is told, between vault and record, before the file is new. */
const isLong = process.env['HEDGEROW_FAULTS'] !== undefined
const CHILD = fileURLToPath(new URL('./sweep-until-killed.ts', import.meta.url))
const START = Date.parse('2026-02-10T12:00:00Z')
const DAY_MS = 86_400_000
const MARKER = 'zqsweptaway'
/** People of whom one row ends each day, beside one that stays. */
const COUNT = 24
const DAYS = isLong ? 28 : 6

let clock: ManualClock
let bare: BareSite
before(async () => {
  clock = new ManualClock(START)
  bare = await bareSite(clock)
  const people = testPeople(COUNT, () => ({ birthDate: '2026-02-09' }))
  const ending = Array.from({ length: DAYS }, (_, index) =>
    people.map((one) => ({ ...one, birthDate: dayOf(index), country: `${MARKER}-${index}-` })),
  )
  const manifest: Partial<WireManifest> = {
    person: { key: 'id', ageAtLeast: 18, rowsMax: 100 },
    columns: testManifest('athletes').columns.map((column) =>
      column.name === 'birth_date' ? { ...column, isRequired: true } : column,
    ),
    retention: { period: 'P10Y', from: '2026-01-01', rows: { column: 'birth_date', period: 'P30D' } },
  }
  await bare.fill({ dataSet: 'athletes', people: [...people, ...ending.flat()], manifest })
})
after(() => bare[Symbol.asyncDispose]())

/** The day of which rows end when so many days have passed. */
function dayOf(index: number): string {
  return new Date(START - (29 - index) * DAY_MS).toISOString().slice(0, 10)
}

let passed = 0
let stepCount = Number.POSITIVE_INFINITY

test('a sweep goes through, and says in how many steps', async () => {
  const { isKilled, said } = await sweepAfterADay()
  assert.equal(isKilled, false)
  assert.match(said, /^done 24 rows in \d+ steps\n$/)
  stepCount = Number(/in (\d+)/.exec(said)?.[1])
  await assertSwept()
})

test('one that is killed before any of its steps is made to its end afterwards, once, and nothing else is gone', async (context) => {
  const all = Array.from({ length: Math.min(stepCount, DAYS - 1) }, (_, index) => index + 1)
  // The last ones are those after the vault has deleted.
  const steps = isLong ? all : [2, stepCount - 7, stepCount - 3, stepCount - 1]
  for (const step of steps)
    await context.test(`before step ${step} of ${stepCount}`, async () => {
      const { isKilled } = await sweepAfterADay(step)
      assert.ok(isKilled)
      await sweepRetention(bare.site)
      await assertSwept()
    })
})

test('people without rows who were noted as erased when it was killed are erased before the site serves, once', async () => {
  const { isKilled } = await sweepAfter(4_000 * DAY_MS, 'forgetting')
  assert.ok(isKilled)
  const erased = async () =>
    (await erasuresIn(bare.site.db, 'deleted')).map(({ many, receipts }) => [many?.count, receipts.length])
  assert.deepEqual(await erased(), [[COUNT, 2]])
  assert.deepEqual(await bare.site.vault.listWithoutRows({ after: -1, limit: 10 }), [])
  assert.equal(await bare.numberOf('p-0'), -1)
  await sweepRetention(bare.site)
  assert.deepEqual(await erased(), [[COUNT, 2]])
})

/** A day passes, then a process of its own sweeps; the site is opened again on what it left. */
function sweepAfterADay(at = 0): Promise<{ isKilled: boolean; said: string }> {
  passed += 1
  return sweepAfter(DAY_MS, at)
}

async function sweepAfter(
  durationMs: number,
  at: number | 'forgetting',
): Promise<{ isKilled: boolean; said: string }> {
  clock.advance(durationMs)
  let outcome = { isKilled: false, said: '' }
  await bare.reopen(async () => {
    const file = join(bare.root, 'act.json')
    const settings = { ...bare.settings, databaseUrl: bare.settings.databaseUrl?.reveal() }
    await writeFile(file, JSON.stringify({ root: bare.root, settings, now: clock.now() }))
    const args = ['--disable-warning=ExperimentalWarning', CHILD, file, String(at)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'exit')
    const said = await text(child.stdout)
    const [, signal] = (await ended) as [number | null, string | null]
    outcome = { isKilled: signal === 'SIGKILL', said }
  })
  return outcome
}

/** Rows of the days that have passed are gone from every file, all others are there, and each day was logged once. */
async function assertSwept(): Promise<void> {
  const { vault, db } = bare.site
  const rows = await vault.rowCount(dataSetIdSchema.parse('athletes'))
  assert.equal(rows, COUNT * (1 + DAYS - passed))
  const gone = Array.from({ length: passed }, (_, index) => `${MARKER}-${index}-`)
  const search = plainMarkerSearch(gone)
  assert.deepEqual(
    (await filesOf(join(bare.root, 'vault'))).flatMap((bytes) => search(bytes)),
    [],
  )
  const sweeps = await listSweeps(db, 100)
  assert.equal(sweeps.length, passed)
  for (const sweep of sweeps) {
    assert.equal(sweep.rows, COUNT)
    assert.ok(sweep.doneAt !== undefined && sweep.permanentAt !== undefined && sweep.receipt !== undefined)
  }
  const receipts = await sql<{ count: bigint }>`
    select count(*) as count from receipt where kind = 'retention'`.execute(db)
  assert.equal(Number(receipts.rows[0]?.count), passed)
}
