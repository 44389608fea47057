import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { sql } from 'kysely'
import { instant } from '../../../src/kernel/clock.ts'
import type { Clock } from '../../../src/kernel/clock.ts'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import { digestOf } from '../../../src/kernel/digest.ts'
import { Fault } from '../../../src/kernel/faults.ts'
import type { Database } from '../../../src/kernel/postgres/database.ts'
import { migrate } from '../../../src/kernel/postgres/migrate.ts'
import type { Postgres } from '../../../src/kernel/postgres/open-postgres.ts'
import type { RevocationRequest } from '../../../src/protocol/http/site-api.ts'
import { revocationRequestSchema } from '../../../src/protocol/http/site-api.ts'
import { loadGrantMirror } from '../../../src/site/consent/change-grants.ts'
import type { ConsentContext } from '../../../src/site/consent/change-grants.ts'
import { decideEligibility } from '../../../src/site/consent/eligibility.ts'
import { giveGrants } from '../../../src/site/consent/give-grants.ts'
import type { GrantMirror } from '../../../src/site/consent/grant-mirror.ts'
import { listGrants } from '../../../src/site/consent/list-grants.ts'
import { grantName, revokeGrants } from '../../../src/site/consent/revoke-grants.ts'
import { SITE_MIGRATIONS } from '../../../src/site/record/migrations.ts'
import { testPostgres } from '../../../src/testing/test-postgres.ts'
import { openReceiptLog } from '../../../src/transparency/receipt-log.ts'
import { adults, context, manifest, NOW, request, use } from './consent-fixtures.ts'

const by = { by: 'operator' }
const PEOPLE = 20_000

class HandClock implements Clock {
  time = NOW
  now() {
    return this.time
  }
  sleep() {
    return Promise.resolve()
  }
}

const noReceipts = {
  issue: () => Promise.reject(new Error('no disk')),
  sign: () => Promise.reject(new Error('no disk')),
  expectedNext: () => 0,
  nextByRecord: () => Promise.resolve(0),
  unused: () => undefined,
  committed: () => undefined,
}

interface Site {
  readonly consent: ConsentContext
  readonly clock: HandClock
  readonly db: Database
}

let postgres: Postgres
let directory: string
const open: Postgres[] = []

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hedgerow-consent-'))
})
after(async () => {
  for (const one of open) await one[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

/** A site's consent on a fresh database; people are `p0` to `p19999`. */
async function site(): Promise<Site> {
  postgres = await testPostgres()
  open.push(postgres)
  const { db } = postgres
  await migrate(db, SITE_MIGRATIONS)
  const clock = new HandClock()
  const signer = { name: 'galway', key: generateKeyPair('Ed25519') }
  const receipts = await openReceiptLog({ db, directory: join(directory, `${open.length}`), signer, clock })
  const consent: ConsentContext = {
    db,
    mirror: await loadGrantMirror(db),
    receipts,
    clock,
    findManifest: (dataSet) => (dataSet === 'athletes' ? manifest() : undefined),
    findPeople: (_, keys) =>
      Promise.resolve(
        keys.map((key) => (/^p\d+$/.test(key) && Number(key.slice(1)) < PEOPLE ? Number(key.slice(1)) : -1)),
      ),
    markOf: (_, key) => new TextEncoder().encode(key),
    ofGrownUps: (guardianships) => Promise.resolve(guardianships),
    requestMark: digestOf,
    keepApart: () => Promise.resolve(),
    subjectOf: (subjects) =>
      Promise.resolve(subjects.map(({ person, text }) => digestOf(`key of ${person}: ${text}`))),
  }
  return { consent, clock, db }
}

function revocation(person: number, facts: Record<string, unknown> = {}): RevocationRequest {
  return revocationRequestSchema.parse({ dataSet: 'athletes', person: `p${person}`, ...facts })
}

function eligible(mirror: GrantMirror, now = NOW): number[] {
  const decided = decideEligibility(context(mirror, adults(PEOPLE)), use({ now }), {
    manifest: manifest(),
    columns: ['height'],
  })
  return decided.ok ? [...decided.value.eligible] : []
}

async function thrown(act: Promise<unknown>): Promise<Fault> {
  const error = await act.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof Fault, 'expected a fault')
  return error
}

describe('giving and revoking', () => {
  test('a grant acknowledged is in force, a revocation acknowledged is in force, and both have receipts', async () => {
    const { consent, db } = await site()
    const given = await giveGrants(consent, [request(4), request(9)], by)
    assert.deepEqual(given, { changed: 2, unchanged: 0, sequence: 2 })
    assert.deepEqual(eligible(consent.mirror), [4, 9])
    const revoked = await revokeGrants(consent, [revocation(4)], by)
    assert.deepEqual(revoked, { changed: 1, unchanged: 0, sequence: 3 })
    assert.deepEqual(eligible(consent.mirror), [9])
    assert.deepEqual([...consent.mirror.revokedSince(given.sequence, manifest().dataSet)], [4])

    const { rows } = await sql<{
      kind: string
      jws: string
    }>`select kind, jws from receipt order by sequence`.execute(db)
    assert.deepEqual(
      rows.map(({ kind }) => kind),
      ['grant', 'grant', 'revocation'],
    )
    const payload: unknown = JSON.parse(Buffer.from(rows[2]?.jws.split('.')[1] ?? '', 'base64url').toString())
    assert.ok(typeof payload === 'object' && payload !== null && 'subjectOf' in payload)
    assert.equal(payload.subjectOf, digestOf('key of 4: revocation 3'))
    assert.ok(!JSON.stringify(payload).includes('p4'))
  })

  test('a mirror loaded anew is the same, and so is one that was behind', async () => {
    const { consent, db } = await site()
    const behind = await loadGrantMirror(db)
    await giveGrants(
      consent,
      [request(1), request(2), request(3, { validUntil: '2026-11-25T00:00:00Z' })],
      by,
    )
    await revokeGrants(consent, [revocation(2)], by)
    const anew = await loadGrantMirror(db)
    assert.equal(anew.sequence, consent.mirror.sequence)
    for (const now of [NOW, instant(NOW + 86_400_000)])
      assert.deepEqual(eligible(anew, now), eligible(consent.mirror, now))
    // As after a commit whose outcome was never heard: the next change first learns what the record knows.
    await giveGrants({ ...consent, mirror: behind }, [request(5)], by)
    assert.deepEqual(eligible(behind), [1, 3, 5])
    await revokeGrants({ ...consent, mirror: behind }, [revocation(1)], by)
    await giveGrants({ ...consent, mirror: anew }, [request(6)], by)
    assert.deepEqual(eligible(anew), [3, 5, 6])
  })

  test('a grant that begins or ends later switches at that moment', async () => {
    const { consent } = await site()
    await giveGrants(
      consent,
      [request(1, { validFrom: '2026-11-24T11:00:00Z', validUntil: '2026-11-24T12:00:00Z' })],
      by,
    )
    const hour = 3_600_000
    assert.deepEqual(eligible(consent.mirror, NOW), [])
    assert.deepEqual(eligible(consent.mirror, instant(NOW + hour - 1)), [])
    assert.deepEqual(eligible(consent.mirror, instant(NOW + hour)), [1])
    assert.deepEqual(eligible(consent.mirror, instant(NOW + 2 * hour - 1)), [1])
    assert.deepEqual(eligible(consent.mirror, instant(NOW + 2 * hour)), [])
  })

  test('the same again adds nothing; a longer one does; equal terms are one entry', async () => {
    const { consent, db } = await site()
    await giveGrants(consent, [request(1, { modes: ['rows', 'aggregate'] })], by)
    const again = await giveGrants(
      consent,
      [request(1, { modes: ['aggregate', 'rows', 'rows'] }), request(1, { modes: ['rows', 'aggregate'] })],
      by,
    )
    assert.deepEqual(again, { changed: 0, unchanged: 2, sequence: 1 })
    await giveGrants(consent, [request(2, { validUntil: '2026-12-01T00:00:00Z' })], by)
    assert.equal(
      (await giveGrants(consent, [request(2, { validUntil: '2026-12-02T00:00:00Z' })], by)).changed,
      1,
    )
    assert.equal(
      (await giveGrants(consent, [request(2, { validUntil: '2026-12-01T12:00:00Z' })], by)).unchanged,
      1,
    )
    const { rows } = await sql<{ count: bigint }>`select count(*) from consent_terms`.execute(db)
    assert.equal(rows[0]?.count, 2n)
  })

  test('a revoked grant can be given again', async () => {
    const { consent } = await site()
    await giveGrants(consent, [request(1)], by)
    await revokeGrants(consent, [revocation(1)], by)
    assert.deepEqual(await giveGrants(consent, [request(1)], by), { changed: 1, unchanged: 0, sequence: 3 })
    assert.deepEqual(eligible(consent.mirror), [1])
  })

  test('revoking names all of a person’s grants, those to a grantee, or one', async () => {
    const { consent } = await site()
    const toMember = { grantee: { member: 'northcare' } }
    const toAll = { grantee: { anyone: true } }
    await giveGrants(consent, [request(1), request(1, toMember), request(1, toAll), request(2)], by)
    assert.equal((await revokeGrants(consent, [revocation(1, toMember)], by)).changed, 1)
    assert.equal((await revokeGrants(consent, [revocation(1, { grant: grantName(1) })], by)).changed, 1)
    // A grant of somebody else is not touched by naming it.
    assert.equal((await revokeGrants(consent, [revocation(1, { grant: grantName(4) })], by)).unchanged, 1)
    assert.deepEqual(eligible(consent.mirror), [1, 2])
    assert.equal((await revokeGrants(consent, [revocation(1)], by)).changed, 1)
    assert.deepEqual(eligible(consent.mirror), [2])
    assert.deepEqual(await revokeGrants(consent, [revocation(1), revocation(77), revocation(99_999)], by), {
      changed: 0,
      unchanged: 3,
      sequence: 7,
    })
  })

  test('changes at the same time follow one another', async () => {
    const { consent } = await site()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, person) => giveGrants(consent, [request(person)], by)),
    )
    assert.deepEqual(
      answers.map(({ sequence }) => sequence).toSorted((a, b) => a - b),
      Array.from({ length: 20 }, (_, index) => index + 1),
    )
    assert.equal(eligible(consent.mirror).length, 20)
  })

  test('the history can be listed, revoked grants too', async () => {
    const { consent, clock, db } = await site()
    await giveGrants(consent, [request(1), request(2)], { by: 'issuer:federation' })
    clock.time = instant(NOW + 5_000)
    await revokeGrants(consent, [revocation(1)], { by: 'person' })
    const [first, second] = await listGrants(db, { after: 0, limit: 10 })
    assert.deepEqual(
      [first?.person, first?.givenAt, first?.revokedAt, first?.givenBy],
      [1, NOW, NOW + 5_000, 'issuer:federation'],
    )
    assert.deepEqual([second?.person, second?.revokedAt], [2, undefined])
    assert.equal((await listGrants(db, { after: 1, limit: 10 })).length, 1)
    assert.equal((await listGrants(db, { after: 0, limit: 10, people: [1] })).length, 1)
    assert.equal((await listGrants(db, { after: 0, limit: 10, dataSets: [] })).length, 0)
  })
})

describe('refusals', () => {
  test('each wrong field is named, and nothing is taken', async () => {
    const { consent, db } = await site()
    const fault = await thrown(
      giveGrants(
        consent,
        [
          request(1),
          request('99999x'),
          request(2, { purposes: ['dpv:Nonsense'] }),
          request(2, { purposes: ['hedgerow:WorsenInsuranceTerms'] }),
          request(2, { columns: ['shoe_size'] }),
          request(2, { dataSet: 'elsewhere' }),
          request(2, { validUntil: '2026-11-24T10:00:00Z' }),
        ],
        by,
      ),
    )
    assert.equal(fault.code, 'fault.request_malformed')
    assert.deepEqual(
      fault.errors.map(({ field }) => field).toSorted(),
      [
        'grants[1].person',
        'grants[2].purposes',
        'grants[3].purposes',
        'grants[4].columns',
        'grants[5].dataSet',
        'grants[5].person',
        'grants[6].validUntil',
      ].filter((field) => field !== 'grants[5].person'),
    )
    assert.deepEqual(await listGrants(db, { after: 0, limit: 10 }), [])
    assert.deepEqual(eligible(consent.mirror), [])
  })

  test('an idempotency key gives the same answer, and a fault for another body', async () => {
    const { consent } = await site()
    const once = { by: 'operator', idempotencyKey: 'key-00000001' }
    const first = await giveGrants(consent, [request(1)], once)
    await revokeGrants(consent, [revocation(1)], by)
    assert.deepEqual(await giveGrants(consent, [request(1)], once), first)
    assert.deepEqual(eligible(consent.mirror), [])
    assert.equal((await thrown(giveGrants(consent, [request(2)], once))).code, 'fault.idempotency_conflict')
    assert.equal(
      (await thrown(revokeGrants(consent, [revocation(1)], once))).code,
      'fault.idempotency_conflict',
    )
  })

  test('what fails half-way leaves record and mirror as they were', async () => {
    const { consent, db } = await site()
    await giveGrants(consent, [request(1)], by)
    const broken = { ...consent, receipts: noReceipts }
    assert.equal((await thrown(giveGrants(broken, [request(2)], by))).code, 'fault.internal')
    assert.equal((await thrown(revokeGrants(broken, [revocation(1)], by))).code, 'fault.internal')
    assert.deepEqual(eligible(consent.mirror), [1])
    assert.deepEqual(eligible(await loadGrantMirror(db)), [1])
    assert.equal((await giveGrants(consent, [request(3)], by)).sequence, 2)
  })

  test('the history is append-only, for whoever has the connection', async () => {
    const { consent, db } = await site()
    await giveGrants(consent, [request(1)], { by: 'operator', idempotencyKey: 'key-00000001' })
    await revokeGrants(consent, [revocation(1)], by)
    for (const table of ['consent_terms', 'consent_grant', 'consent_revocation', 'evidence']) {
      const name = sql.id(table)
      await assert.rejects(sql`delete from ${name}`.execute(db), /append-only/, `delete from ${table}`)
      await assert.rejects(sql`truncate ${name} cascade`.execute(db), /append-only/, `truncate ${table}`)
    }
    await assert.rejects(sql`update consent_grant set valid_until_ms = 0`.execute(db), /append-only/)
    await assert.rejects(sql`update consent_revocation set revoked_ms = 0`.execute(db), /append-only/)
    await assert.rejects(sql`update consent_terms set digest = ''`.execute(db), /append-only/)
    // Which call was answered how is no history: its keys hold digests of names, which an erasure takes out.
    await assert.rejects(sql`update consent_call set sequence = 0`.execute(db), /append-only/)
    await assert.rejects(sql`truncate consent_call`.execute(db), /append-only/)
  })
})

test('three thousand people in one call, and back', async () => {
  const { consent } = await site()
  const all = Array.from({ length: 3_000 }, (_, person) => person)
  const given = await giveGrants(
    consent,
    all.map((person) => request(person, { validUntil: '2027-11-24T00:00:00Z' })),
    by,
  )
  assert.equal(given.changed, 3_000)
  assert.equal(eligible(consent.mirror).length, 3_000)
  const revoked = await revokeGrants(
    consent,
    all.map((person) => revocation(person)),
    by,
  )
  assert.deepEqual(revoked, { changed: 3_000, unchanged: 0, sequence: 6_000 })
  assert.deepEqual(eligible(consent.mirror), [])
})
