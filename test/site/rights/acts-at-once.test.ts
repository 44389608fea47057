import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { seededRandom } from '../../../src/demo/seeded-random.ts'
import { monotonicMs, systemClock } from '../../../src/kernel/clock.ts'
import type { WireManifest } from '../../../src/sdk/issuer.ts'
import { sweepRetention } from '../../../src/site/retention/sweep-retention.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { testManifest, testPeople } from '../../../src/testing/test-population.ts'
import { bareSite } from '../../../src/testing/test-site.ts'
import type { BareSite } from '../../../src/testing/test-site.ts'
import { actAtOnce, carryOut, study } from './acts-at-once.ts'
import { wrongRows } from './expected-rows.ts'
import type { FoundRow, Happened } from './expected-rows.ts'

/* Imports, corrections, erasures, sweeps, compactions, exports and backups, all at once at one site. */

const isLong = process.env['HEDGEROW_FAULTS'] !== undefined
const CHILD = fileURLToPath(new URL('./act-until-killed.ts', import.meta.url))
const START = Date.parse('2026-02-10T12:00:00Z')
const RUN_MS = isLong ? 20_000 : 500
const KILLS = isLong ? 12 : 0
const seed = process.env['ACTS_SEED'] ?? String(process.pid)

/** The day is the same all the while; what is waited for goes by. */
class SameDay extends ManualClock {
  override sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(durationMs, signal)
  }
}

const clock = new SameDay(START)
const happened: Happened[] = []
let bare: BareSite
before(async () => {
  bare = await bareSite(clock)
  const manifest: Partial<WireManifest> = {
    person: { key: 'id', ageAtLeast: 18, rowsMax: 1_000 },
    columns: testManifest('study').columns.map((column) =>
      column.name === 'birth_date' ? { ...column, isRequired: true } : column,
    ),
    retention: { period: 'P10Y', from: '2026-01-01', rows: { column: 'birth_date', period: 'P30D' } },
  }
  const first = testPeople(3, (_, index) => ({ id: `first-${index}`, birthDate: '2026-01-02' }))
  await bare.fill({ dataSet: 'study', people: first, manifest, hasGrants: false })
})
after(() => bare[Symbol.asyncDispose]())

/** All rows that there are once what has ended was swept. */
async function foundRows(): Promise<readonly FoundRow[]> {
  await sweepRetention(bare.site)
  const statement = { sql: 'select country, score::integer, "_p" from ds_study' }
  const outcome = await bare.site.vault.run(statement, { timeoutMs: 10_000, rowsMax: 1_000_000 })
  assert.ok(outcome.ok)
  return outcome.value.rows().map(([marker, score, person]) => ({
    marker: String(marker),
    score: Number(score),
    person: Number(person),
  }))
}

async function assertAsExpected(): Promise<void> {
  const found = await foundRows()
  assert.deepEqual(wrongRows(happened, found), [], `ACTS_SEED=${seed}`)
  const looked = Object.keys(endings()).filter((end) => end.startsWith('look '))
  assert.deepEqual(
    looked.filter((end) => end !== 'look done'),
    [],
  )
  // Everybody who has rows is known, with a key, and nobody else has one.
  const people = [...new Set(found.map(({ person }) => person))].toSorted((one, other) => one - other)
  assert.deepEqual([...(await bare.site.vault.people(study))], people)
  const { rows } = await sql<{ person: number }>`select person from person_key order by person`.execute(
    bare.site.db,
  )
  const keys = new Set(rows.map(({ person }) => person))
  assert.deepEqual(
    people.filter((person) => !keys.has(person)),
    [],
  )
  for (const person of people) assert.ok(await bare.site.vault.lookupOf(person))
}

/** How acts of each kind ended, for whoever looks whether all of them were tried. */
function endings(): Readonly<Record<string, number>> {
  const kinds = new Map(
    happened.flatMap((one) => ('begins' in one ? [[one.id, one.begins.kind] as const] : [])),
  )
  const ends = happened.flatMap((one) => ('ended' in one ? [`${kinds.get(one.id)} ${one.ended}`] : []))
  return Object.fromEntries([...Map.groupBy(ends, (end) => end)].map(([end, all]) => [end, all.length]))
}

test(
  'whatever is done at once, at the end there is what the acts come to one after another',
  { timeout: 300_000 },
  async (t) => {
    const until = monotonicMs() + RUN_MS
    await actAtOnce(bare.site, {
      seed,
      isOver: () => monotonicMs() > until,
      say: (one) => void happened.push(one),
    })
    await assertAsExpected()
    const ended = endings()
    t.diagnostic(JSON.stringify(ended))
    // In a short run there may be nobody yet whom the others could be about.
    const sure = ['file', 'rows', 'sweep', 'backup', 'look']
    for (const kind of isLong ? [...sure, 'erase', 'correct', 'export', 'complete'] : sure)
      assert.ok((ended[`${kind} done`] ?? 0) > 0, `${kind}: ${JSON.stringify(ended)}`)
    await bare.reopen()
    await assertAsExpected()
  },
)

test(
  'so it is when the process is killed in the midst of it',
  { skip: KILLS === 0 && 'in `make faults`', timeout: 600_000 },
  async () => {
    const random = seededRandom(seed, 'kills')
    for (let kill = 0; kill < KILLS; kill += 1) {
      await bare.reopen(() => killedAfter(100 + Math.floor(random.next() * 2_500), `${seed}-${kill}`))
      await assertAsExpected()
      // What was under way may be sent again, and is taken once.
      const begun = new Map(
        happened.flatMap((one) => ('begins' in one ? [[one.id, one.begins] as const] : [])),
      )
      for (const one of happened) if ('ended' in one) begun.delete(one.id)
      for (const [id, act] of begun) {
        if (act.kind !== 'file' && act.kind !== 'rows') continue
        await carryOut(bare.site, act)
        happened.push({ id, ended: 'done' })
      }
      await assertAsExpected()
    }
  },
)

/** Lets a process of its own act so long. */
async function killedAfter(durationMs: number, of: string): Promise<void> {
  const file = join(bare.root, 'act.json')
  const settings = { ...bare.settings, databaseUrl: bare.settings.databaseUrl?.reveal() }
  await writeFile(file, JSON.stringify({ root: bare.root, settings, now: clock.now() }))
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CHILD, file, of], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  let killing: Promise<void> | undefined
  for await (const line of createInterface(child.stdout)) {
    happened.push(JSON.parse(line) as Happened)
    killing ??= systemClock.sleep(durationMs).then(() => void child.kill('SIGKILL'))
  }
  const [, signal] = (await ended) as [number | null, string | null]
  assert.equal(signal, 'SIGKILL')
}
