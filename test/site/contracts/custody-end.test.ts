import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { sql } from 'kysely'
import { formatInstant, instant, systemClock } from '../../../src/kernel/clock.ts'
import { digestOf } from '../../../src/kernel/digest.ts'
import { migrate } from '../../../src/kernel/postgres/migrate.ts'
import { HAND_OVER_PARTS } from '../../../src/protocol/http/hand-over-api.ts'
import { contractFactsSchema } from '../../../src/protocol/law/processing-contract.ts'
import { dataSetIdSchema, memberIdSchema } from '../../../src/protocol/wire.ts'
import { openHandOver } from '../../../src/sdk/hand-over.ts'
import { openOfficer } from '../../../src/sdk/officer.ts'
import { endedContract } from '../../../src/site/contracts/contract-in-force.ts'
import { ContractStore } from '../../../src/site/contracts/contract-store.ts'
import type { StoredContract } from '../../../src/site/contracts/contract-store.ts'
import { SITE_MIGRATIONS } from '../../../src/site/record/migrations.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { publicKeys } from '../../../src/testing/test-network.ts'
import { testPostgres } from '../../../src/testing/test-postgres.ts'
import { testPeople, testProcessing } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'

const clock = new ManualClock(Date.parse('2026-03-02T09:00:00Z'))
const trade = await testTrade({ clock, sites: [{ name: 'galway' }] })
after(() => trade[Symbol.asyncDispose]())
const site = trade.site()
const issuer = () => site.client({ issuer: 'federation', key: trade.federation.signing })
const officer = () => openOfficer(issuer())
const handOver = () => openHandOver(issuer())
const reason = 'the contract has ended'

async function fetched(part: (typeof HAND_OVER_PARTS)[number]): Promise<Uint8Array> {
  return new Uint8Array(await new Response(await handOver().part('athletes', { part, reason })).arrayBuffer())
}

test('what is due after the end is followed until it went back and was deleted', async () => {
  for (const dataSet of ['athletes', 'study']) await trade.fill(site, { dataSet, people: testPeople(3) })
  const confirm = async (part: (typeof HAND_OVER_PARTS)[number]) =>
    handOver().confirm('athletes', { part, digest: digestOf(await fetched(part)) })
  // What arrived while the contract stood is no return.
  for (const part of HAND_OVER_PARTS) await confirm(part)
  clock.advance(1_000)
  const [known] = (await officer().contracts()).items
  await officer().endContract(known?.contract ?? '', 'notice was given')
  const dueOf = async (name: string) =>
    (await officer().contracts()).missing.find(({ dataSet }) => dataSet === name)
  const due = await dueOf('athletes')
  assert.deepEqual([due?.needs, due?.parts], ['return', [...HAND_OVER_PARTS]])

  // What was sent and did not arrive, or arrived as something else, is not back.
  clock.advance(1_000)
  const rows = await fetched('rows')
  assert.deepEqual((await dueOf('athletes'))?.parts, [...HAND_OVER_PARTS])
  await assert.rejects(handOver().confirm('athletes', { part: 'rows', digest: digestOf(rows.slice(1)) }), {
    status: 409,
  })
  await assert.rejects(handOver().confirm('athletes', { part: 'grants', digest: digestOf(rows) }), {
    status: 409,
  })
  const arrived = await handOver().confirm('athletes', { part: 'rows', digest: digestOf(rows) })
  assert.equal(arrived.sizeBytes, rows.length)
  assert.deepEqual(await handOver().confirm('athletes', { part: 'rows', digest: digestOf(rows) }), arrived)
  assert.deepEqual((await dueOf('athletes'))?.parts, ['grants', 'consents', 'receipts'])
  for (const part of ['grants', 'consents', 'receipts'] as const) await confirm(part)
  const back = await dueOf('athletes')
  assert.deepEqual([back?.needs, back?.returnedAt], ['deletion', clock.now()])
  assert.match((await officer().register()).gaps.join('\n'), /and went back on .*: delete it/)

  clock.advance(1_000)
  for (const dataSet of ['athletes', 'study']) await site.issuer.retire(dataSet)
  await site.stop()
  await site.start()
  const { missing, ended } = await officer().contracts()
  assert.deepEqual(missing, [])
  assert.deepEqual(
    ended.map(({ dataSet, afterEnd, returnedAt }) => [dataSet, afterEnd, returnedAt !== undefined]),
    [
      ['athletes', 'return', true],
      ['study', 'return', false],
    ],
  )
})

const DAY_MS = 86_400_000
const at = (days: number) => instant(Date.parse('2026-01-01T00:00:00Z') + days * DAY_MS)

/** A contract of the study's controller, its days counted from the first. */
function contractOf(
  id: string,
  {
    from = 0,
    recorded = from,
    ...facts
  }: {
    from?: number
    recorded?: number
    until?: number
    ended?: number
    by?: string
    confirmed?: number
    aloneUntil?: number
  },
): StoredContract {
  const { until, ended, by = 'issuer:federation', confirmed, aloneUntil } = facts
  return {
    id,
    facts: {
      ...contractFactsSchema.parse({ ...testProcessing(), validFrom: '2026-01-01T00:00:00Z' }),
      validFrom: at(from),
      ...(until === undefined ? {} : { validUntil: at(until) }),
    },
    recordedAt: at(recorded),
    recordedBy: by,
    ...(confirmed === undefined ? {} : { confirmed: { at: at(confirmed), by: 'issuer:federation' } }),
    ...(ended === undefined ? {} : { end: { at: at(ended), reason: 'notice' } }),
    ...(aloneUntil === undefined ? {} : { aloneUntil: at(aloneUntil) }),
  }
}

for (const [what, contracts, day, expected] of [
  ['the last that had ended by then', [{ ended: 3 }, { from: 3, ended: 6 }], 7, 1],
  ['one that ended at that moment', [{ ended: 5 }], 5, 0],
  ['one that ran out', [{ until: 5 }], 6, 0],
  ['none, a moment before its end', [{ until: 5 }], 4.999, undefined],
  [
    'the one before, where the next was recorded and ended later',
    [{ ended: 3 }, { from: 8, ended: 9 }],
    7,
    0,
  ],
  ['none where another was in force then', [{ ended: 3 }, { from: 2 }], 7, undefined],
  [
    'none where another was in force then that has ended since',
    [{ ended: 3 }, { from: 2, ended: 9 }],
    7,
    undefined,
  ],
  [
    'the one before, where the next was said to hold from earlier, later',
    [{ ended: 3 }, { from: 2, recorded: 8 }],
    7,
    0,
  ],
  ['the one before, where another was never agreed on', [{ ended: 3 }, { by: 'operator', ended: 5 }], 7, 0],
  [
    'the one before, where another was agreed on later',
    [{ ended: 3 }, { by: 'operator', confirmed: 8 }],
    7,
    0,
  ],
  [
    'none where another had been agreed on by then',
    [{ ended: 3 }, { by: 'operator', confirmed: 6 }],
    7,
    undefined,
  ],
  [
    'the one before, where another ended before it began',
    [{ ended: 3 }, { from: 6, recorded: 4, ended: 5 }],
    7,
    0,
  ],
  ['one that the custodian recorded when that sufficed', [{ by: 'operator', aloneUntil: 4, ended: 3 }], 7, 0],
  [
    'none while one carried that the custodian recorded',
    [{ ended: 3 }, { by: 'operator', aloneUntil: 8 }],
    7,
    undefined,
  ],
  ['the one before, once that sufficed no longer', [{ ended: 3 }, { by: 'operator', aloneUntil: 6 }], 7, 0],
] as const)
  test(`the end of a custody is of ${what}`, () => {
    const stored = contracts.map((facts, index) => contractOf(String(index), facts))
    const dataSet = { dataSet: dataSetIdSchema.parse('study'), issuer: memberIdSchema.parse('federation') }
    const ended = endedContract({ contracts: { list: () => stored } }, dataSet, at(day))
    assert.equal(ended?.contract.id, expected === undefined ? undefined : String(expected))
  })

test('what was recorded alone before it took two is due after its end, in a record of before', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const before = Object.entries(SITE_MIGRATIONS).filter(([name]) => name < '0380' || name.startsWith('0381'))
  await migrate(db, Object.fromEntries(before))
  const alone = async (id: string, recordedAt: number, by: string) => {
    const facts = JSON.stringify({ ...testProcessing(), validFrom: formatInstant(at(0)) })
    await sql`insert into processing_contract (id, facts, recorded_ms, recorded_by)
      values (${id}, ${facts}::jsonb, ${recordedAt}, ${by})`.execute(db)
  }
  // Younger than its table, as in a record that grew; and older, as in one that was restored.
  await alone('grown', systemClock.now(), 'operator')
  await alone('restored', at(1), 'operator')
  await alone('agreed', systemClock.now(), 'issuer:federation')
  await sql`insert into processing_contract_end (contract, sequence, reason, ended_ms, ended_by)
    values ('grown', 1, 'notice', ${systemClock.now()}, 'operator')`.execute(db)
  await migrate(db, SITE_MIGRATIONS)
  const contracts = (await ContractStore.open(db)).list()
  const [grown, restored, agreed] = contracts.map(({ aloneUntil }) => aloneUntil)
  assert.ok((grown ?? 0) > at(300), String(grown))
  assert.equal(restored, at(1))
  assert.equal(agreed, undefined)
  await assert.rejects(sql`delete from processing_contract_alone`.execute(db), /append-only/)
})

test('only the issuer says that it arrived, and a transfer that broke off is nothing', async () => {
  clock.advance(1_000)
  const next = await officer().recordContract({
    kind: 'processing',
    controller: 'federation',
    reference: 'next',
    subject: 'keeping',
    concludedOn: '2026-01-01',
    instructions: 'manifests',
    afterEnd: 'return',
  })
  await trade.fill(site, { dataSet: 'again', people: testPeople(2_000) })
  const body = await handOver().part('again', { part: 'rows', reason })
  const reader = body.getReader()
  const { value = new Uint8Array() } = await reader.read()
  await reader.cancel()
  await assert.rejects(handOver().confirm('again', { part: 'rows', digest: digestOf(value) }), {
    status: 409,
  })
  const other = await trade.network.addMember('other-issuer', ['issuer'])
  await site.operator.registerIssuer({ member: other.name, keys: publicKeys(other) })
  const whole = await new Response(await handOver().part('again', { part: 'rows', reason })).arrayBuffer()
  const digest = digestOf(new Uint8Array(whole))
  for (const client of [
    site.client({ issuer: other.name, key: other.signing }),
    site.client({ issuer: 'operator', key: site.operatorKey }),
  ])
    await assert.rejects(openHandOver(client).confirm('again', { part: 'rows', digest }), { status: 404 })
  assert.equal((await handOver().confirm('again', { part: 'rows', digest })).part, 'rows')
  // What was deleted before is still the end of the contract before, and this one ends with its data there.
  clock.advance(1_000)
  await site.issuer.retire('again')
  clock.advance(1_000)
  await officer().endContract(next.contract, 'notice was given')
  const { missing, ended } = await officer().contracts()
  assert.deepEqual([missing, ended.map(({ dataSet }) => dataSet)], [[], ['athletes', 'study']])
})
