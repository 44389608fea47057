import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { monotonicMs, systemClock } from '../../src/kernel/clock.ts'
import type { AskResult } from '../../src/sdk/acquirer.ts'
import { openHandOver } from '../../src/sdk/hand-over.ts'
import { openPersonRecords } from '../../src/sdk/person.ts'
import { filesOf } from '../../src/testing/files-of.ts'
import {
  csvOfWeighings,
  peopleOfWeighings,
  scalesGrant,
  scalesManifest,
} from '../../src/testing/shared-scales.ts'
import type { Weighing } from '../../src/testing/shared-scales.ts'
import { testNoticeBox } from '../../src/testing/test-notice-box.ts'
import { fileBody, offered, testTrade } from '../../src/testing/test-trade.ts'
import type { TestAcquirer, TestSite, TestTrade } from '../../src/testing/test-trade.ts'

const COUNTRIES = ['IE', 'FR', 'DE'] as const

/** Couples with one weighing of both, every second of whom has one alone as well, and people who live alone. */
function weighingsOf({ couples, singles }: { couples: number; singles: number }): Weighing[] {
  const country = (index: number) => COUNTRIES[index % 3] ?? 'IE'
  const both = Array.from({ length: couples }, (_, index) => ({
    owner: `a${index}`,
    partner: `b${index}`,
    country: country(index),
    weight: 50 + (index % 50),
    remark: `remark-of-a${index}`,
    partnerName: `name-of-b${index}`,
  }))
  const alone = both.flatMap(({ owner, country: of }, index) =>
    index % 2 === 0 ? [{ owner, country: of, weight: 60 + (index % 30) }] : [],
  )
  const single = Array.from({ length: singles }, (_, index) => ({
    owner: `s${index}`,
    country: country(index),
    weight: 40 + (index % 60),
  }))
  return [...both, ...alone, ...single]
}

async function fill(
  trade: TestTrade,
  { weighings, grants }: { weighings: readonly Weighing[]; grants?: readonly string[] },
): Promise<TestSite> {
  const site = trade.site()
  await site.issuer.describe(scalesManifest())
  const body = fileBody(csvOfWeighings(weighings))
  await site.issuer.importFile({ dataSet: 'scales', batch: 'first', format: 'csv', body })
  const people = grants ?? peopleOfWeighings(weighings)
  await site.issuer.giveGrants(people.map((person) => scalesGrant(person)))
  await offered(trade.network, { site: site.name, dataSet: 'scales' })
  return site
}

function only({ sites: [answer], reason, detail }: AskResult) {
  assert.ok(answer, `no site answered: ${reason} ${detail}`)
  return answer
}

function recordsOf(trade: TestTrade, site: TestSite, ref: string) {
  const client = site.client({ issuer: 'federation', key: trade.federation.signing })
  return openPersonRecords(client, { ref, reason: 'asked by telephone' })
}

const ask = { offer: 'scales' }

test('a row about two people counts when both allow it, for any grants, as a naive reading of the file says', async () => {
  await using trade = await testTrade()
  const weighings = weighingsOf({ couples: 60, singles: 60 })
  const people = peopleOfWeighings(weighings)
  const site = await fill(trade, { weighings })
  let acquirers = 0
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(people.length - 1), { maxLength: 12 }), async (out) => {
      acquirers += 1
      const refusing = new Set(out.map((index) => people[index] ?? ''))
      const acquirer = await trade.addAcquirer(`acquirer-${acquirers}`)
      for (const person of refusing) await site.issuer.revokeGrants([{ dataSet: 'scales', person }])
      const answer = only(await acquirer.ask('select count(*) as n, sum(weight) as w from scales', ask))
      await site.issuer.giveGrants([...refusing].map((person) => scalesGrant(person)))
      const used = weighings.filter(
        ({ owner, partner }) => !refusing.has(owner) && !(partner !== undefined && refusing.has(partner)),
      )
      assert.equal(answer.reason, 'approved')
      assert.deepEqual(answer.release?.rows, [
        [used.length, used.reduce((sum, { weight }) => sum + weight, 0)],
      ])
      for (const person of people.slice(0, 4)) {
        const uses = await recordsOf(trade, site, person).uses(1)
        const isUsed = peopleOfWeighings(used).includes(person)
        assert.equal(uses[0]?.acquirer === acquirer.party.name, isUsed, `${person} in the history`)
      }
    }),
    { numRuns: 4 },
  )
})

test('too few sets of people stand behind nothing, however many people are in each', async () => {
  await using trade = await testTrade()
  // 19 couples in France are 38 people; twice the minimum group of 10 are 20 sets.
  const few = weighingsOf({ couples: 57, singles: 0 }).filter(({ partner }) => partner !== undefined)
  const site = await fill(trade, {
    weighings: few.map((one, index) => (index === 0 ? { ...one, weight: 199 } : one)),
  })
  const northcare = await trade.addAcquirer('northcare')
  const french = "select count(*) as n, sum(weight) as w from scales where country = 'FR'"
  assert.equal(only(await northcare.ask(french, ask)).reason, 'declined.group_too_small')
  const all = 'select count(*) as n, sum(weight) as w from scales'
  const before = only(await northcare.ask(all, ask))
  assert.deepEqual(before.release?.rows[0]?.[0], 57)
  // One of a couple takes the grant back: the difference would be the row of both.
  await site.issuer.revokeGrants([{ dataSet: 'scales', person: 'b0' }])
  assert.equal(only(await northcare.ask(all, ask)).reason, 'declined.differencing')
  const other = await trade.addAcquirer('southcare')
  const rows = only(await other.ask('select owner, weight from scales', { ...ask, mode: 'rows' }))
  assert.equal(rows.release?.rows.length, 56)
  assert.equal(
    rows.release?.rows.some(([, weight]) => weight === 199),
    false,
  )
  const answer = only(await other.ask('select partner, weight from scales', { ...ask, mode: 'rows' }))
  assert.equal(answer.reason, 'declined.column')
})

test('nobody is in more sets of people than the manifest says, and nobody is beside themselves', async () => {
  await using trade = await testTrade()
  const site = await fill(trade, { weighings: weighingsOf({ couples: 2, singles: 2 }) })
  const bring = (batch: string, weighings: readonly Weighing[]) =>
    site.issuer.importFile({
      dataSet: 'scales',
      batch,
      format: 'csv',
      body: fileBody(csvOfWeighings(weighings)),
    })
  const row = { country: 'IE', weight: 70 }
  await bring('again', [{ ...row, owner: 'a1', partner: 'b1' }])
  await bring('alone', [{ ...row, owner: 'a1' }])
  const refused = /people|person/
  await assert.rejects(bring('hub', [{ ...row, owner: 's1', partner: 'a1' }]), refused)
  await assert.rejects(bring('twice', [{ ...row, owner: 's1', partner: 's1' }]), refused)
  // s0 is alone and may have one partner, not two.
  await assert.rejects(
    bring('two', [
      { ...row, owner: 's0', partner: 'x' },
      { ...row, owner: 's0', partner: 'y' },
    ]),
    refused,
  )
  await bring('one', [{ ...row, owner: 's0', partner: 'x' }])
})

test('noise hides a person in all rows about them, whoever else they are about', async () => {
  await using trade = await testTrade()
  const site = await fill(trade, { weighings: weighingsOf({ couples: 150, singles: 0 }) })
  const northcare = await trade.addAcquirer('northcare')
  const count = 'select count(*) as n from scales'
  const epsilon = { epsilon: 0.5 }
  const answer = only(await northcare.ask(count, { ...ask, mode: 'private', privacy: epsilon }))
  assert.equal(answer.reason, 'approved')
  const [figure] = answer.release?.privacy?.figures ?? []
  await site.issuer.revokeGrants([{ dataSet: 'scales', person: 'b0' }])
  const southcare = await trade.addAcquirer('southcare')
  const half = only(await southcare.ask(count, { ...ask, mode: 'private', privacy: { epsilon: 0.25 } }))
  const [wider] = half.release?.privacy?.figures ?? []
  assert.ok(figure && wider)
  assert.ok(wider.halfWidth95 > figure.halfWidth95 * 1.5)
  // b1 is in one set and is charged what a1 is, who is in one too: what is lost is the person's.
  const uses = await recordsOf(trade, site, 'b1').uses(5)
  assert.equal(uses.length, 2)
  assert.equal((await recordsOf(trade, site, 'b0').uses(5)).length, 1)
})

test('each of two people has the row in their export, and the rights to it', async () => {
  await using trade = await testTrade()
  const site = await fill(trade, { weighings: weighingsOf({ couples: 30, singles: 10 }) })
  const northcare = await trade.addAcquirer('northcare')
  const rows = only(await northcare.ask('select owner, weight from scales', { ...ask, mode: 'rows' }))
  assert.equal(rows.release?.rows.length, 55)
  const rowsOf = async (person: string) =>
    (await exported(recordsOf(trade, site, person))).filter(({ kind }) => kind === 'row')
  const values = { country: 'IE', weight: 50 }
  const hidden = { owner: null, remark: null }
  assert.deepEqual(await rowsOf('b0'), [
    {
      kind: 'row',
      dataSet: 'scales',
      values: { ...values, ...hidden, partner: 'b0', partner_name: 'name-of-b0' },
      alsoAbout: 1,
    },
  ])
  const [alone, both = {}] = await rowsOf('a0')
  assert.equal(alone?.['alsoAbout'], undefined)
  assert.deepEqual(both, {
    kind: 'row',
    dataSet: 'scales',
    values: { ...values, owner: 'a0', partner: null, remark: 'remark-of-a0', partner_name: null },
    alsoAbout: 1,
  })
  const [earned, other] = [
    await recordsOf(trade, site, 'a0').earnings(),
    await recordsOf(trade, site, 'b0').earnings(),
  ]
  assert.deepEqual(earned, other, 'what the row earned is for both alike')
  const [use] = await recordsOf(trade, site, 'b0').uses(1)
  const pseudonyms = new Set(rows.release?.rows.map(([owner]) => owner))
  assert.ok(pseudonyms.has(use?.pseudonym ?? ''), 'b0 is told under which name the row is with the acquirer')

  const rights = site.rights('issuer')
  await rights.correct({ person: 'b0' }, { dataSet: 'scales', set: { weight: 51 } })
  const [, corrected] = await rowsOf('a0')
  assert.deepEqual(
    corrected,
    { ...both, values: { ...Object(both['values']), weight: 51 } },
    'either corrects it',
  )
  await assert.rejects(rights.correct({ person: 'b0' }, { dataSet: 'scales', set: { remark: 'mine now' } }), {
    status: 404,
  })
  await rights.restrict({ person: 'b1' }, 'accuracy_contested')
  const acquirer = await trade.addAcquirer('southcare')
  const used = only(await acquirer.ask('select owner, weight from scales', { ...ask, mode: 'rows' }))
  assert.equal(used.release?.rows.length, 54, 'restricted for one is restricted')
})

test('erased for one, a row stays with the other and is in no result; erased for both, it is gone', async () => {
  await using trade = await testTrade()
  const site = await fill(trade, { weighings: weighingsOf({ couples: 30, singles: 10 }) })
  const northcare = await trade.addAcquirer('northcare')
  const rows = only(await northcare.ask('select owner, weight from scales', { ...ask, mode: 'rows' }))
  const rights = site.rights('issuer')
  const [use] = await recordsOf(trade, site, 'b0').uses(1)
  const erased = await rights.erase({ person: 'b0' }, { reason: 'request', isAtOnce: true })
  assert.equal(erased.grade, 'permanent')
  assert.equal(erased.recipients.length, 1)
  const told = await toldTo(trade, northcare)
  assert.equal(told[0]?.notice?.pseudonym, use?.pseudonym, 'told under the name that the rows have there')
  assert.equal(rows.release?.rows.filter(([owner]) => owner === use?.pseudonym).length, 1)
  for (const file of await filesOf(site.root)) assert.equal(file.includes('name-of-b0'), false)

  const left = (await exported(recordsOf(trade, site, 'a0'))).filter(({ kind }) => kind === 'row')
  assert.equal(left.length, 2, 'a0 keeps both weighings')
  const southcare = await trade.addAcquirer('southcare')
  const after = only(await southcare.ask('select owner, weight from scales', { ...ask, mode: 'rows' }))
  assert.equal(after.release?.rows.length, 54, 'what is about somebody who is erased is used no more')
  // The same two again are others: nothing ties them to whoever was erased.
  await site.issuer.importFile({
    dataSet: 'scales',
    batch: 'again',
    format: 'csv',
    body: fileBody(csvOfWeighings([{ owner: 'a0', partner: 'b0', country: 'IE', weight: 70 }])),
  })
  assert.equal((await exported(recordsOf(trade, site, 'b0'))).filter(({ kind }) => kind === 'row').length, 1)
  const third = await trade.addAcquirer('eastcare')
  const again = only(await third.ask('select owner, weight from scales', { ...ask, mode: 'rows' }))
  assert.equal(again.release?.rows.length, 54, 'whoever was erased has granted nothing')
  await rights.erase({ person: 'a0' }, { reason: 'request' })
  await rights.erase({ person: 'b0' }, { reason: 'request' })
  const client = site.client({ issuer: 'federation', key: trade.federation.signing })
  const handed = await new Response(
    await openHandOver(client).part('scales', { part: 'rows', format: 'ndjson', reason: 'we move' }),
  ).text()
  const lines = handed.trim().split('\n')
  assert.equal(lines.length, 53)
  assert.equal(lines.filter((line) => line.includes('name-of-b')).length, 29)
  assert.equal(handed.includes('"a0"') || handed.includes('"b0"'), false)
})

/** What the acquirer's box has, once something is in it. */
async function toldTo(trade: TestTrade, acquirer: TestAcquirer) {
  const box = testNoticeBox(trade, acquirer)
  const deadline = monotonicMs() + 20_000
  for (;;) {
    const received = await box.list()
    if (received.length > 0 || monotonicMs() > deadline) return received
    await systemClock.sleep(20)
  }
}

async function exported(records: ReturnType<typeof recordsOf>): Promise<Record<string, unknown>[]> {
  const text = await new Response(await records.export({ format: 'jsonl' })).text()
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}
