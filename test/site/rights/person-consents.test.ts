import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { formatInstant, later } from '../../../src/kernel/clock.ts'
import type { JsonLd } from '../../../src/protocol/consent/consent-record.ts'
import { readConsentRecords } from '../../../src/protocol/consent/read-consent-records.ts'
import { openOfficer } from '../../../src/sdk/officer.ts'
import { openPersonRecords } from '../../../src/sdk/person.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { testGrant, testManifest, testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import { readTerms, termsFile } from '../../../scripts/generate-terms.ts'
import { parseCsv } from '../../../scripts/generate-purposes.ts'
import { DATA_SUBJECTS, LOCATIONS, PERSONAL_DATA } from '../../../src/protocol/law/dpv-terms.ts'
import { sharedDirectory } from '../../shared.ts'

const clock = new ManualClock(Date.parse('2026-03-02T09:00:00Z'))
const trade = await testTrade({ clock, sites: [{ name: 'galway' }, { name: 'dresden', territory: 'DE' }] })
after(() => trade[Symbol.asyncDispose]())
const [site, other] = [trade.site(), trade.site('dresden')]
const people = testPeople(12)
const CHANGES: Readonly<Record<string, object>> = {
  height: { category: 'dpv-pd:Height' },
  country: { category: 'dpv-pd:Nonsense' },
  score: { category: 'dpv-pd:PhysicalHealth', sensitivity: 'special_category' },
}
const columns = testManifest('athletes').columns.map((column) => ({ ...column, ...CHANGES[column.name] }))
const manifest = {
  columns,
  specialCategoryBasis: 'eu-gdpr:A9-2-a',
  person: { key: 'id', birthDate: 'birth_date', residence: 'country', subjects: 'dpv:Participant' },
}
for (const at of [site, other]) await trade.fill(at, { dataSet: 'athletes', people, manifest, grants: [] })
await openOfficer(site.client({ issuer: 'federation', key: trade.federation.signing })).describeParty(
  'federation',
  {
    name: 'World Federation',
    address: '1 Eyre Square, Galway',
    country: 'IE',
    email: 'privacy@federation.example',
    dataProtectionOfficer: { name: 'Orla Byrne', email: 'dpo@federation.example' },
    supervisoryAuthority: 'Data Protection Commission',
  },
)

const recordsAt = (ref: string, at = site) =>
  openPersonRecords(at.client({ issuer: 'federation', key: trade.federation.signing }), {
    ref,
    reason: 'she asked for her records',
  })
const documentOf = async (ref: string, form: 'records' | 'receipt' = 'records') =>
  JSON.parse(await recordsAt(ref).consents(form)) as JsonLd

/** One person in every state that there is. */
async function live(): Promise<void> {
  const grant = (to: string, more: object = {}) =>
    testGrant('athletes', 'p-1', { grantee: { member: to }, ...more })
  const give = (...grants: readonly ReturnType<typeof testGrant>[]) => site.issuer.giveGrants(grants)
  await give(grant('withdrawn'), grant('replaced'), grant('standing', { isExplicit: true }))
  const until = formatInstant(later(clock.now(), 60_000))
  await give(grant('expiring', { validUntil: until }))
  clock.advance(1_000)
  await site.issuer.revokeGrants([{ dataSet: 'athletes', person: 'p-1', grantee: { member: 'withdrawn' } }])
  await give(grant('replaced', { modes: ['aggregate'], columns: ['height'], replaces: true }))
  await site.issuer.refuseGrant({
    dataSet: 'athletes',
    person: 'p-1',
    grantee: { class: 'insurer' },
    purposes: ['dpv:ResearchAndDevelopment'],
    modes: ['aggregate'],
  })
  clock.advance(60_000)
}
await live()

const graphOf = (document: JsonLd) => document['@graph'] as readonly JsonLd[]
const statusesOf = (record: JsonLd) => record['dpv:hasConsentStatus'] as readonly JsonLd[]
const recipientOf = (record: JsonLd) =>
  ((record['dpv:hasProcess'] as JsonLd)['dpv:hasRecipient'] as JsonLd)['dct:identifier']

test('each decision is a record, with the state in which it stands now', async () => {
  const records = graphOf(await documentOf('p-1'))
  const states = records.map((record) => {
    const last = statusesOf(record).at(-1)
    return [recipientOf(record) ?? 'class', [last?.['@type']].flat()[0], last?.['hedgerow:state']]
  })
  assert.deepEqual(states, [
    ['withdrawn', 'dpv:ConsentWithdrawn', 'withdrawn'],
    ['replaced', 'dpv:ConsentStatusInvalidForProcessing', 'superseded'],
    ['standing', 'dpv:ConsentGiven', 'in_force'],
    ['expiring', 'dpv:ConsentExpired', 'expired'],
    ['replaced', 'dpv:ConsentGiven', 'in_force'],
    ['class', 'dpv:ConsentRefused', 'refused'],
  ])
  const [withdrawn, , standing, expiring, ofGroups] = records
  assert.ok(withdrawn && standing && expiring && ofGroups)
  assert.deepEqual(
    statusesOf(withdrawn).map((status) => status['dpv:isIndicatedAtTime']),
    ['2026-03-02T09:00:00.000Z', '2026-03-02T09:00:01.000Z'],
  )
  assert.equal(statusesOf(expiring)[0]?.['dpv:isIndicatedBy'], 'dpv:DataSubject')
  assert.deepEqual(standing['dpv:hasLegalBasis'], ['eu-gdpr:A6-1-a-explicit-consent', 'eu-gdpr:A9-2-a'])
  assert.match(JSON.stringify(standing['dpv:hasDataController']), /World Federation.*Orla Byrne/)
  const ruleOf = (record: JsonLd) => JSON.stringify((record['dpv:hasProcess'] as JsonLd)['dpv:hasRule'])
  assert.match(ruleOf(standing), /EEA\. Of the data only single rows may leave the site, under a pseudonym\./)
  assert.match(ruleOf(ofGroups), /EEA\. The data does not leave the site\./)
  // A category that the vocabulary does not have is not passed off as one of its terms.
  const data = (standing['dpv:hasProcess'] as JsonLd)['dpv:hasPersonalData'] as readonly JsonLd[]
  const byName = new Map(data.map((one) => [one['dct:identifier'], one['@type']]))
  assert.equal(byName.get('height'), 'pd:Height')
  assert.equal(byName.get('country'), 'dpv:PersonalData')
  assert.ok([byName.get('score')].flat().includes('dpv:SpecialCategoryPersonalData'))
  assert.equal(byName.has('name'), false, 'what stands under the person’s key is in no question')
})

test('a text that has changed since makes the consent invalid in the record too', async () => {
  await site.issuer.giveGrants([testGrant('athletes', 'p-2')])
  const state = async () => statusesOf(graphOf(await documentOf('p-2'))[0] ?? {}).at(-1)?.['@type']
  assert.deepEqual(await state(), ['dpv:ConsentGiven', 'dpv:ExpressedConsent'])
  await site.issuer.describe(testManifest('athletes', { ...manifest, title: 'Another title' }))
  assert.equal(await state(), 'dpv:ConsentInvalidated')
  await site.issuer.describe(testManifest('athletes', manifest))
  assert.deepEqual(await state(), ['dpv:ConsentGiven', 'dpv:ExpressedConsent'])
})

test('a receipt carries the records, is named by its receipt in the log, and the person sees who took it', async () => {
  const receipt = await documentOf('p-1', 'receipt')
  assert.equal(receipt['@type'], 'dpv:ConsentReceipt')
  assert.equal((receipt['dpv:hasRecordOfActivity'] as readonly JsonLd[]).length, 6)
  const [access] = (await recordsAt('p-1').accesses(5)).filter(({ what }) => what === 'consents')
  assert.equal(access?.reason, 'she asked for her records')
  assert.equal(receipt['dct:identifier'], `receipt-galway-${access?.receipt}`)
})

test('records of another’s people are not there, and nothing of others is in one’s own', async () => {
  await assert.rejects(recordsAt('nobody').consents('records'), { status: 404 })
  const stranger = await trade.network.addMember('stranger', ['issuer'])
  const seen = openPersonRecords(site.client({ issuer: stranger.name, key: stranger.signing }), {
    ref: 'p-1',
    reason: 'curious',
  })
  await assert.rejects(seen.consents('records'), { status: 401 })
  assert.doesNotMatch(JSON.stringify(await documentOf('p-1')), /p-2/)
})

test('what stands is taken in elsewhere as it was given; what has ended, and foreign records, are not', async () => {
  const read = readConsentRecords(await documentOf('p-1'))
  assert.ok(read.ok)
  assert.equal(read.value.grants.length, 2)
  assert.equal(read.value.others.length, 4)
  const again = await site.issuer.giveGrants(read.value.grants)
  assert.deepEqual([again.changed, again.unchanged], [0, 2])
  const carried = await other.issuer.giveGrants(read.value.grants)
  assert.equal(carried.changed, 2)
  const there = graphOf(JSON.parse(await recordsAt('p-1', other).consents('records')) as JsonLd)
  const terms = (records: readonly JsonLd[]) => records.map((record) => record['hedgerow:terms'])
  const standing = graphOf(await documentOf('p-1')).filter((record) =>
    [statusesOf(record).at(-1)?.['@type']].flat().includes('dpv:ConsentGiven'),
  )
  assert.deepEqual(terms(there), terms(standing))

  assert.equal(readConsentRecords({ '@graph': [{ '@type': 'dpv:ConsentRecord' }] }).ok, false)
  const [foreign] = standing
  const { 'hedgerow:terms': own, ...without } = foreign ?? {}
  assert.ok(own)
  assert.equal(readConsentRecords({ '@graph': [without] }).ok, false)
})

const shared = sharedDirectory()
const folder = shared && join(shared, 'standards', 'w3c-dpv')
const skip =
  folder !== undefined && existsSync(folder) ? false : 'needs the tables of the DPV beside the checkout'

/** Every term with a prefix of the vocabulary, as name or value, wherever it stands. */
function* termsIn(value: unknown): Generator<string> {
  if (typeof value === 'string' && /^(dpv|pd|loc|eu-gdpr):[A-Za-z0-9-]+$/.test(value)) yield value
  else if (Array.isArray(value)) for (const inner of value) yield* termsIn(inner)
  else if (typeof value === 'object' && value !== null)
    for (const [name, inner] of Object.entries(value)) {
      if (name === '@context' || name === 'hedgerow:terms') continue
      yield* termsIn(name)
      yield* termsIn(inner)
    }
}

test(
  'every term is one of the pinned vocabulary, and every field that the guide asks for is there',
  { skip },
  async () => {
    const tables = join(folder ?? '', '2.2')
    const known = new Set(
      [
        ['dpv', 'dpv', 'dpv.csv'],
        ['pd', 'pd', 'pd.csv'],
        ['loc', 'loc', 'loc.csv'],
        ['eu-gdpr', 'legal', 'eu', 'gdpr', 'eu-gdpr.csv'],
      ].flatMap(([prefix = '', ...path]) =>
        parseCsv(readFileSync(join(tables, ...path), 'utf8')).map(({ term = '' }) => `${prefix}:${term}`),
      ),
    )
    // The regulation itself is named by the extension and has no row of its own.
    known.add('eu-gdpr:GDPR')
    const receipt = await documentOf('p-1', 'receipt')
    const used = new Set(termsIn(receipt))
    assert.ok(used.size > 50)
    assert.deepEqual(
      [...used].filter((term) => !known.has(term)),
      [],
    )

    const fields = JSON.parse(readFileSync(join(folder ?? '', 'dpv-27560', 'field-tables.json'), 'utf8')) as {
      tables: readonly { section: string; rows: readonly (readonly string[])[] }[]
    }
    const required = fields.tables
      .filter(({ section }) => /^8\.[12345] /.test(section))
      .flatMap(({ rows }) => rows)
      .filter(([, cardinality]) => cardinality?.startsWith('1'))
      .map(([name = '', , , relations = '']) => ({ name, relations: relations.split(', ') }))
    assert.ok(required.length >= 20)
    for (const record of receipt['dpv:hasRecordOfActivity'] as readonly JsonLd[]) {
      const names = new Set(namesIn(record))
      const isRefusal = statusesOf(record)[0]?.['@type'] === 'dpv:ConsentRefused'
      const missing = required.filter(
        ({ name, relations }) =>
          // A refusal lasts no time, and postal addresses are of those who said theirs.
          !(isRefusal && name === 'Event Duration') && !relations.some((relation) => names.has(relation)),
      )
      assert.deepEqual(missing, [], String(record['dct:identifier']))
    }
  },
)

function* namesIn(value: unknown): Generator<string> {
  if (Array.isArray(value)) for (const inner of value) yield* namesIn(inner)
  else if (typeof value === 'object' && value !== null)
    for (const [name, inner] of Object.entries(value)) {
      yield name
      yield* namesIn(inner)
    }
}

test('the committed tables are those of the pinned vocabulary', { skip }, () => {
  const terms = readTerms(join(folder ?? '', '2.2'))
  assert.deepEqual([...DATA_SUBJECTS], terms.dataSubjects)
  assert.deepEqual([...PERSONAL_DATA], terms.personalData)
  assert.deepEqual([...LOCATIONS], terms.locations)
  assert.match(termsFile(terms), /W3C|World Wide Web Consortium/)
})
