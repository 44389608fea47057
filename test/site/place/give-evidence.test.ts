import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { instant } from '../../../src/kernel/clock.ts'
import type { Clock } from '../../../src/kernel/clock.ts'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import type { KeyPair } from '../../../src/kernel/crypto/keys.ts'
import { digestOf } from '../../../src/kernel/digest.ts'
import { Fault } from '../../../src/kernel/faults.ts'
import { migrate } from '../../../src/kernel/postgres/migrate.ts'
import type { Postgres } from '../../../src/kernel/postgres/open-postgres.ts'
import { evidenceSchema } from '../../../src/protocol/proof/evidence.ts'
import type { Evidence } from '../../../src/protocol/proof/evidence.ts'
import { signEvidence, verifyEvidence } from '../../../src/protocol/proof/sign-evidence.ts'
import { openEvidenceStore } from '../../../src/site/place/evidence-store.ts'
import { giveEvidence } from '../../../src/site/place/give-evidence.ts'
import type { EvidenceContext } from '../../../src/site/place/give-evidence.ts'
import * as createEvidence from '../../../src/site/record/migrations/0010-create-evidence.ts'
import { testPostgres } from '../../../src/testing/test-postgres.ts'
import * as createReceiptLog from '../../../src/transparency/create-receipt-log.ts'
import { openReceiptLog } from '../../../src/transparency/receipt-log.ts'

const NOW = instant(Date.parse('2026-11-24T10:00:00Z'))
const clock: Clock = { now: () => NOW, sleep: () => Promise.resolve() }
const operator = generateKeyPair('Ed25519')
const day = 86_400_000

let postgres: Postgres
let directory: string
let context: EvidenceContext
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hedgerow-evidence-'))
  postgres = await testPostgres()
  const { db } = postgres
  await migrate(db, { '0001-create-receipt-log': createReceiptLog, '0010-create-evidence': createEvidence })
  const receipts = await openReceiptLog({
    db,
    directory,
    signer: { name: 'galway', key: generateKeyPair('Ed25519') },
    clock,
  })
  const operatorKey = operator.publicJwk
  const store = await openEvidenceStore({ db, operatorKey })
  context = { db, store, receipts, clock, site: 'galway', territory: 'IE', operatorKey }
})
after(async () => {
  await postgres[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

function statement(facts: Record<string, unknown> = {}): Evidence {
  return evidenceSchema.parse({
    site: 'galway',
    kind: 'operator-attested',
    territory: 'IE',
    longitude: -9.0568,
    latitude: 53.2707,
    validFrom: '2026-11-24T00:00:00Z',
    validUntil: '2026-12-24T00:00:00Z',
    ...facts,
  })
}

async function refusal(evidence: Evidence, key: KeyPair = operator): Promise<Fault> {
  const error = await giveEvidence(context, signEvidence(evidence, key)).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof Fault, 'expected a fault')
  return error
}

test('signEvidence() and verifyEvidence() are each other’s inverse; another key or a changed byte is none', () => {
  const jws = signEvidence(statement(), operator)
  assert.deepEqual(verifyEvidence(jws, operator.publicJwk), statement())
  assert.equal(verifyEvidence(jws, generateKeyPair('Ed25519').publicJwk), undefined)
  assert.equal(verifyEvidence(withAnotherByte(jws), operator.publicJwk), undefined)
  assert.equal(verifyEvidence('nothing', operator.publicJwk), undefined)
})

/** The last bytes of a signature are small numbers, so another one stands further in. */
function withAnotherByte(jws: string): string {
  return `${jws.slice(0, -20)}${jws.at(-20) === 'A' ? 'B' : 'A'}${jws.slice(-19)}`
}

test('evidence that says nothing is refused with the field and what to do', async () => {
  const table: readonly (readonly [facts: Record<string, unknown>, field: string, expected: RegExp])[] = [
    [{ site: 'zurich' }, 'site', /"galway"/],
    [{ territory: 'GB', longitude: -0.1276, latitude: 51.5072 }, 'territory', /"IE"/],
    [{ longitude: -3, latitude: 53.2 }, 'longitude, latitude', /lies in GB, the claim says IE/],
    [{ longitude: -15, latitude: 53 }, 'longitude, latitude', /not on land/],
    [{ longitude: -6.4, latitude: 54.06 }, 'longitude, latitude', /within 2 km of a border/],
    [{ validUntil: '2026-11-24T00:00:00Z' }, 'validUntil', /after "validFrom"/],
    [{ validFrom: '2026-11-01T00:00:00Z', validUntil: '2026-11-24T10:00:00Z' }, 'validUntil', /not past/],
    [{ validUntil: '2027-11-26T00:00:00Z' }, 'validUntil', /366 days/],
  ]
  for (const [facts, field, expected] of table) {
    const fault = await refusal(statement(facts))
    assert.equal(fault.code, 'fault.request_malformed')
    assert.deepEqual(
      fault.errors.map((error) => error.field),
      [field],
    )
    assert.match(fault.errors[0]?.expected ?? '', expected)
  }
  assert.equal((await refusal(statement(), generateKeyPair('Ed25519'))).code, 'fault.forbidden')
  assert.equal(context.store.current(NOW), undefined)
})

test('evidence is stored with its receipt, once, and is found again after a restart', async () => {
  const jws = signEvidence(statement(), operator)
  const given = await giveEvidence(context, jws)
  assert.deepEqual(await giveEvidence(context, jws), given)
  assert.equal(context.store.current(NOW)?.digest, digestOf(jws))
  const { rows } = await sql<{ count: bigint }>`select count(*) from receipt where kind = 'evidence'`.execute(
    context.db,
  )
  assert.equal(rows[0]?.count, 1n)
  const store = await openEvidenceStore({ db: context.db, operatorKey: operator.publicJwk })
  assert.deepEqual(store.current(NOW), given)
  const stranger = await openEvidenceStore({
    db: context.db,
    operatorKey: generateKeyPair('Ed25519').publicJwk,
  })
  assert.equal(stranger.current(NOW), undefined)
})

test('the newest statement that has begun governs; when it has expired, no older one comes back', async () => {
  const { store } = context
  const first = store.current(NOW)
  const moved = await giveEvidence(
    context,
    signEvidence(
      statement({
        longitude: -8.6267,
        latitude: 52.668,
        validFrom: '2026-11-26T00:00:00Z',
        validUntil: '2026-11-27T00:00:00Z',
      }),
      operator,
    ),
  )
  assert.deepEqual(store.current(NOW), first)
  assert.deepEqual(store.current(instant(moved.evidence.validFrom - 1)), first)
  assert.deepEqual(store.current(moved.evidence.validFrom), moved)
  assert.deepEqual(store.current(instant(moved.evidence.validUntil + day)), moved)
})
