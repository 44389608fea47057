import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canonicalJson } from '../src/kernel/canonical-json.ts'
import { systemClock } from '../src/kernel/clock.ts'
import { generateKeyPair } from '../src/kernel/crypto/keys.ts'
import { signBytes } from '../src/kernel/crypto/signature.ts'
import { digestOf } from '../src/kernel/digest.ts'
import { silentLog } from '../src/kernel/log.ts'
import { migrate } from '../src/kernel/postgres/migrate.ts'
import { openPostgres } from '../src/kernel/postgres/open-postgres.ts'
import type { ReceiptDraft } from '../src/protocol/proof/receipt.ts'
import * as createReceiptLog from '../src/transparency/create-receipt-log.ts'
import { openReceiptLog } from '../src/transparency/receipt-log.ts'
import type { ReceiptLog } from '../src/transparency/receipt-log.ts'
import { scale, writeReport } from './shared/report.ts'

/**
 * Receipts issued, committed and published per second, in batches and one by one, against signing alone: the same
 * texts signed with Ed25519 in the same process, nothing stored. The disk is the real one, with fsync.
 */
const SCALE = scale()
const TOTAL = Math.max(2_000, Math.round(60_000 * SCALE))
const BATCH = 1_000
const SINGLES = Math.max(100, Math.round(500 * SCALE))
const GOAL_PER_S = 10_000

const key = generateKeyPair('Ed25519')

function draft(index: number): ReceiptDraft {
  return {
    kind: 'grant',
    subjectOf: digestOf(`person ${index}`),
    acquirer: 'northcare',
    purpose: 'dpv:AcademicResearch',
    mode: 'aggregate',
    dataSet: 'athletes',
    policy: digestOf('policy'),
  }
}

function signAlone(): number {
  const texts = Array.from({ length: Math.min(TOTAL, 20_000) }, (_, index) =>
    Buffer.from(
      canonicalJson({ ...draft(index), site: 'galway', sequence: index, time: '2026-11-24T10:00:00.000Z' }),
    ),
  )
  const started = performance.now()
  for (const text of texts) signBytes(text, key)
  return (texts.length / (performance.now() - started)) * 1000
}

/** Batches in a few transactions at once, as bulk grants come in; one publication serves all that have committed. */
async function bulk(db: Parameters<typeof migrate>[0], log: ReceiptLog): Promise<number> {
  const drafts = Array.from({ length: TOTAL }, (_, index) => draft(index))
  const started = performance.now()
  let published = Promise.resolve()
  for (let start = 0; start < TOTAL; start += BATCH) {
    await db.transaction().execute((tx) => log.issue(tx, drafts.slice(start, start + BATCH)))
    published = log.publish()
    // Awaited at the end; a failure in between must not go unseen.
    published.catch(() => undefined)
  }
  await published
  return (TOTAL / (performance.now() - started)) * 1000
}

async function oneByOne(db: Parameters<typeof migrate>[0], log: ReceiptLog): Promise<readonly number[]> {
  const times: number[] = []
  for (let index = 0; index < SINGLES; index += 1) {
    const started = performance.now()
    const [issued] = await db.transaction().execute((tx) => log.issue(tx, [draft(index)]))
    await log.bundle(issued?.sequence ?? -1)
    times.push(performance.now() - started)
  }
  return times.toSorted((left, right) => left - right)
}

const directory = mkdtempSync(join(tmpdir(), 'hedgerow-bench-receipts-'))
try {
  await using postgres = await openPostgres({ directory, name: 'bench', log: silentLog })
  await migrate(postgres.db, { '0001-create-receipt-log': createReceiptLog })
  const log = await openReceiptLog({
    db: postgres.db,
    directory,
    signer: { name: 'galway', key },
    clock: systemClock,
  })
  await bulk(postgres.db, log)
  const baseline = signAlone()
  const perSecond = await bulk(postgres.db, log)
  const times = await oneByOne(postgres.db, log)
  const p50 = times[Math.floor(times.length / 2)] ?? 0
  const p99 = times[Math.floor(times.length * 0.99)] ?? 0
  writeReport({
    name: 'receipts',
    scale: SCALE,
    figures: [
      {
        name: `issued, committed and published, batches of ${BATCH}`,
        value: perSecond,
        unit: 'receipts/s',
        baseline,
        goal: `at least ${GOAL_PER_S}`,
        met: perSecond >= GOAL_PER_S,
      },
      { name: 'one receipt with its proof, p50', value: p50, unit: 'ms' },
      { name: 'one receipt with its proof, p99', value: p99, unit: 'ms' },
    ],
  })
} finally {
  rmSync(directory, { recursive: true, force: true })
}
