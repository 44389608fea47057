import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { Mutex } from '../../../src/kernel/mutex.ts'
import { instant, systemClock } from '../../../src/kernel/clock.ts'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import { digestOf } from '../../../src/kernel/digest.ts'
import type { Database } from '../../../src/kernel/postgres/database.ts'
import { migrate } from '../../../src/kernel/postgres/migrate.ts'
import { askIdSchema, dataSetIdSchema } from '../../../src/protocol/wire.ts'
import type { BesideAnswer } from '../../../src/site/asks/beside-answer.ts'
import type { Reservation, ReservationParts } from '../../../src/site/asks/reserve-answer.ts'
import { SITE_MIGRATIONS } from '../../../src/site/record/migrations.ts'
import { openReceiptLog } from '../../../src/transparency/receipt-log.ts'
import type { ReceiptLog } from '../../../src/transparency/receipt-log.ts'

const dataSet = dataSetIdSchema.parse('athletes')

/** A record of its own, with a log, and a mirror in which these people took something back. */
export async function openParts(
  db: Database,
  revoked: readonly number[] = [],
): Promise<ReservationParts & { readonly log: ReceiptLog }> {
  await migrate(db, SITE_MIGRATIONS)
  const log = await openReceiptLog({
    db,
    directory: await mkdtemp(join(tmpdir(), 'hedgerow-reserve-')),
    signer: { name: 'galway', key: generateKeyPair('Ed25519') },
    clock: systemClock,
  })
  return {
    db,
    log,
    mirror: {
      sequence: 0,
      changes: new Mutex(),
      revokedSince: () => Bitset.of(revoked),
      hasBasisEndedSince: () => false,
    },
    untilTimeClass: () => Promise.resolve(),
  }
}

/** An answer over three people, by the letter of its ask. */
export function reservation(id: string, changes: ReadonlyMap<string, number> = new Map()): Reservation {
  const askId = askIdSchema.parse(`ask_${id.toUpperCase().padStart(26, '0')}`)
  const time = instant(1_700_000_000_000)
  return {
    answer: {
      askId,
      askDigest: digestOf(id),
      acquirer: 'northcare',
      decision: { decision: 'approved' },
      decisionJws: 'a.b.c',
      releaseJwe: 'sealed',
      decidedAt: time,
    },
    receipts: [
      { kind: 'ask', ask: digestOf(id), askId },
      { kind: 'release', ask: digestOf(id), askId },
    ],
    uses: [
      {
        askId,
        dataSet,
        acquirer: 'northcare',
        purpose: 'dpv:CommercialResearch',
        mode: 'aggregate',
        columns: ['height', 'sex'],
        reason: 'approved',
        releaseTo: 'IE',
        time,
        priceMinor: 250n,
        subjectsMinor: 100n,
        currency: 'EUR',
        people: Bitset.of([3, 5, 700]),
      },
    ],
    consentSequence: 0,
    changes,
  }
}

/** A cut, a row held back, a release for equal asks and the columns used, as they stand beside an answer. */
export function besideAnswer(head: number): BesideAnswer {
  const now = instant(1_700_000_000_000)
  const ask = askIdSchema.parse(`ask_${'7'.repeat(26)}`)
  const key = { acquirerGroup: 'northcare', dataSets: ['athletes'], ask, state: 'state', now }
  const { acquirerGroup } = key
  const entry = { kind: 'cells' as const, delta: Buffer.from([head]), row_shapes: { 'a.b': 'shape' } }
  return {
    cuts: [{ acquirerGroup, dataSet, ask, head, entry, snapshot: undefined }],
    withheld: { key, rows: 2 },
    release: { acquirerGroup, epoch: `epoch ${head}`, ask, sealed: 'sealed', people: Bitset.of([3, 5]), now },
    columns: {
      acquirer: 'northcare',
      purpose: 'dpv:CommercialResearch',
      uses: [
        { dataSet, column: 'height', clause: 'select', outputs: [] },
        { dataSet, column: 'sex', clause: 'group', outputs: [] },
      ],
      now,
    },
  }
}

/** What the record holds beside migrations: nothing of an answer that was not reserved may be in it. */
export async function counts(db: Database): Promise<Record<string, number>> {
  const { rows } = await sql<Record<string, number>>`
    select (select count(*)::int from receipt) as receipts, (select count(*)::int from answer) as answers,
      (select count(*)::int from use_record) as uses, (select next_sequence::int from receipt_counter) as next,
      (select count(*)::int from partition_entry) as cuts, (select count(*)::int from guard_refusal) as refusals,
      (select count(*)::int from stored_release) as stored, (select coalesce(sum(releases), 0)::int from column_use) as columns`.execute(
    db,
  )
  return rows[0] ?? {}
}
