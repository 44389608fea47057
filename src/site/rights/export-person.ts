import type { KeyObject } from 'node:crypto'
import { begunAhead } from '../../kernel/begun-ahead.ts'
import { formatInstant } from '../../kernel/clock.ts'
import { basisSource } from '../../protocol/law/basis-record.ts'
import type { GrantState } from '../../protocol/consent/grant.ts'
import { PERSON_EXPORT_FORMAT } from '../../protocol/rights/person-export.ts'
import type { ExportKind, ExportRecord } from '../../protocol/rights/person-export.ts'
import { basesCovering } from '../consent/bases-covering.ts'
import { judgeGrants } from '../consent/judge-grants.ts'
import { contractInForce } from '../contracts/contract-in-force.ts'
import { readPartyNames } from '../officer/party-names.ts'
import { contractNamed } from '../contracts/contract-named.ts'
import { listGrants } from '../consent/list-grants.ts'
import type { ListedGrant } from '../consent/list-grants.ts'
import { objectionsOf } from '../consent/objection-store.ts'
import { refusalsOf } from '../consent/refuse-grant.ts'
import { grantName } from '../consent/revoke-grants.ts'
import { guardianshipsOf } from '../principals/guardianship-store.ts'
import { evidenceOf, movesOf } from '../principals/principal-store.ts'
import { evidenceView } from '../principals/view-principal.ts'
import { viewGuardianship } from '../principals/view-guardianship.ts'
import { knownAgeOf, whoDecides } from '../principals/who-decides.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { DataSetRecord } from '../datasets/data-set-store.ts'
import { retentionEnd } from '../../protocol/law/retention.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { SiteContext } from '../site-context.ts'
import { carriedRecords } from './carried-records.ts'
import { heldKinds, isLookedFor } from './held-kinds.ts'
import type { HeldKind } from './held-kinds.ts'
import { listAccesses } from './list-accesses.ts'
import type { ListedAccess } from './list-accesses.ts'
import { personUses, useFacts } from './list-uses.ts'
import { openedRows } from './opened-rows.ts'
import type { KnownPerson } from './person-reading.ts'
import { readRequests } from './request-store.ts'
import { requestDetail } from './view-request.ts'

/** What of an export is wanted; absent: all of it. */
export interface ExportFilter {
  readonly kinds?: readonly ExportKind[] | undefined
  readonly dataSet?: string | undefined
}

/** Whose export, their keys, for whom it is made, and what of it is wanted. */
interface ExportFacts {
  readonly people: readonly KnownPerson[]
  readonly keys: ReadonlyMap<number, KeyObject>
  readonly madeFor: string
  /** The number of the receipt of the export itself, once that is noted. */
  readonly receipt: Promise<number>
  readonly filter?: ExportFilter
}

/**
 * Everything the site has about a person, some records at a time: stored, derived, granted, disclosed (GDPR Art. 15 and
 * 20; product, Rights of people). Restricted people are in it like everybody. It is gathered while the export is noted, and nothing of it
 * is given before that is done.
 */
export function exportPerson(site: SiteContext, facts: ExportFacts): AsyncGenerator<readonly ExportRecord[]> {
  const { people, filter = {} } = facts
  const wanted: Wanted = { ...facts, wants: (kind) => filter.kinds?.includes(kind) ?? true }
  // What one part tells does not depend on another, and whoever reads on waits for the record once and not for each in turn.
  return begunAhead([
    noRecords(facts.receipt),
    headRecords(site, wanted),
    ...people.map((person) => personRecords(site, person, wanted)),
    useRecords(site, wanted),
    accessRecords(site, wanted),
  ])
}

interface Wanted extends ExportFacts {
  readonly wants: (kind: ExportKind) => boolean
}

/** Gives nothing, once something is done: what comes after it waits for that. */
async function* noRecords(done: Promise<unknown>): AsyncGenerator<readonly ExportRecord[]> {
  await done
  yield []
}

async function* headRecords(
  site: SiteContext,
  { wants, ...facts }: Wanted,
): AsyncGenerator<readonly ExportRecord[]> {
  if (wants('export')) yield [await headOf(site, facts)]
}

/** All that is kept of one person as one issuer knows them. */
function personRecords(
  site: SiteContext,
  person: KnownPerson,
  { keys, filter = {}, wants }: Wanted,
): AsyncGenerator<readonly ExportRecord[]> {
  const dataSets = site
    .dataSets()
    .filter(
      ({ manifest, retiredAt }) =>
        retiredAt === undefined && (filter.dataSet === undefined || filter.dataSet === manifest.dataSet),
    )
  const isLooked = filter.kinds?.some(isLookedFor) !== false
  let looking: Promise<ReadonlySet<HeldKind>> | undefined
  const held = async () => (isLooked ? (looking ??= heldKinds(site.db, [person.number])) : NOTHING)
  const has = async (kind: HeldKind & ExportKind) => wants(kind) && (await held()).has(kind)
  return begunAhead([
    (async function* () {
      if (wants('principal')) yield [await principalOf(site, { person, dataSets })]
    })(),
    (async function* () {
      if (await has('guardianship')) yield await guardianshipRecords(site, person)
      if (await has('ageEvidence')) yield await evidenceRecords(site, person)
      if (await has('move')) yield await moveRecords(site, person)
    })(),
    (async function* () {
      for (const record of dataSets.filter(({ manifest }) => manifest.issuer === person.issuer))
        yield* dataSetRecords(site, { person, key: keys.get(person.number), record, wants })
    })(),
    (async function* () {
      if (await has('grant')) yield* grantRecords(site, person)
      if (await has('refusal')) yield await refusalRecords(site, person)
      if (await has('objection')) yield await objectionRecords(site, person)
    })(),
    (async function* () {
      if (wants('basis')) yield await basisRecords(site, person)
    })(),
    (async function* () {
      if (await has('request')) yield await requestRecords(site, person)
      if ((await held()).has('carried'))
        yield (await carriedRecords(site, person.number)).filter(({ kind }) => wants(kind))
    })(),
  ])
}

async function* useRecords(
  site: SiteContext,
  { people, wants }: Wanted,
): AsyncGenerator<readonly ExportRecord[]> {
  if (!wants('use')) return
  let some: ExportRecord[] = []
  for await (const use of personUses(site, { people, isWhole: true })) {
    some.push({ kind: 'use', site: site.site, ...useFacts(use) })
    if (some.length < USES_AT_ONCE) continue
    yield some
    some = []
  }
  yield some
}

/** A few milliseconds of computing. */
const USES_AT_ONCE = 100

async function* accessRecords(
  site: SiteContext,
  { people, keys, wants, receipt }: Wanted,
): AsyncGenerator<readonly ExportRecord[]> {
  if (!wants('access')) return
  // The export itself is a look like any other.
  await receipt
  const accesses = await listAccesses(site, { people, keys, limit: ACCESSES_MAX })
  yield accesses.map((one) => accessRecord(one, site))
}

const NOTHING: ReadonlySet<HeldKind> = new Set()

/** Far more looks than anybody makes at one person; it bounds what is held at a time. */
const ACCESSES_MAX = 1_000_000

async function headOf(
  site: SiteContext,
  { people, madeFor, receipt }: Pick<ExportFacts, 'people' | 'madeFor' | 'receipt'>,
): Promise<ExportRecord> {
  const known = await readPartyNames(site.db)
  const parties = [site.custodian, ...people.map(({ issuer }) => issuer)]
  const names = [...new Set(parties)].flatMap((member) => {
    const name = known.get(member)
    return name === undefined ? [] : [[member, name] as const]
  })
  return {
    kind: 'export',
    format: PERSON_EXPORT_FORMAT,
    site: site.site,
    custodian: site.custodian,
    territory: site.territory,
    madeAt: formatInstant(site.clock.now()),
    madeFor,
    ...(names.length === 0 ? {} : { names: Object.fromEntries(names) }),
    receipt: await receipt,
  }
}

async function principalOf(
  { principals, site, territory, clock }: SiteContext,
  { person, dataSets }: { person: KnownPerson; dataSets: readonly DataSetRecord[] },
): Promise<ExportRecord> {
  const now = clock.now()
  const known = knownAgeOf(await principals(now), person.number)
  const own = dataSets.find(({ manifest }) => manifest.issuer === person.issuer)
  const { ageOn, ageAtLeast } = own?.manifest.person ?? {}
  const { birthDate, residences } = known
  return {
    kind: 'principal',
    site,
    issuer: person.issuer,
    ...(birthDate === undefined ? {} : { birthDate }),
    ...(residences.length === 0 ? {} : { residence: residences.join(' ') }),
    grantsCountOf: whoDecides(known, { siteCountry: territory, now, ageOn, ageAtLeast }),
  }
}

function accessRecord(
  { time, by, what, reason, receipt }: ListedAccess,
  { site }: Pick<SiteContext, 'site'>,
): ExportRecord {
  return {
    kind: 'access',
    site,
    time: formatInstant(time),
    by,
    what,
    ...(reason === undefined ? {} : { reason }),
    receipt,
  }
}

/** Under which contract the custodian keeps a data set for its issuer. */
function processingOf(site: SiteContext, manifest: Manifest) {
  const contract = contractInForce(site, manifest, site.clock.now())
  return contract && { processing: { ...contractNamed(contract), processor: site.custodian } }
}

interface PersonInDataSet {
  readonly person: KnownPerson
  readonly key: KeyObject | undefined
  readonly record: DataSetRecord
  readonly wants: (kind: ExportKind) => boolean
}

async function* dataSetRecords(
  site: SiteContext,
  { person, key, record, wants }: PersonInDataSet,
): AsyncGenerator<readonly ExportRecord[]> {
  const { manifest, describedAt } = record
  const { dataSet } = manifest
  if (!(await site.vault.people(dataSet)).has(person.number)) return
  const reading = wants('row') ? rowsOf(site, { person, dataSet }) : undefined
  // It fails where the rows come; until then, or if nobody reads so far, it must not end the process.
  reading?.catch(() => undefined)
  if (wants('dataSet')) {
    yield [
      {
        kind: 'dataSet',
        site: site.site,
        dataSet,
        manifest,
        describedAt: formatInstant(describedAt),
        keptUntil: formatInstant(retentionEnd(manifest.retention)),
        ...processingOf(site, manifest),
      },
    ]
  }
  if (wants('identity'))
    yield [{ kind: 'identity', site: site.site, issuer: person.issuer, dataSet, key: person.key }]
  for (const { places, rows } of (await reading) ?? []) {
    // Whoever else a row is about has a right of their own to what says who they are.
    const owners = places.map((one) => (one === person.number ? { key, personKey: person.key } : undefined))
    const hiddenCount = places.filter((one) => one !== undefined && one !== person.number).length
    yield* openedRows(rows, { manifest, ownersAt: () => owners, hiddenCount })
  }
}

/** A person's rows in a data set, their own and those of their households, with the people whom they are about. */
async function rowsOf(
  { vault }: SiteContext,
  { person, dataSet }: { person: KnownPerson; dataSet: DataSetId },
) {
  const households = await vault.households()
  return Promise.all(
    households.numbersOf(person.number).map(async (number) => ({
      places: households.placesOf(number),
      rows: await vault.listRows(dataSet, number),
    })),
  )
}

async function guardianshipRecords(
  site: SiteContext,
  { number }: KnownPerson,
): Promise<readonly ExportRecord[]> {
  const stored = await guardianshipsOf(site.db, [number])
  const views = await Promise.all(stored.map((one) => viewGuardianship(site, one)))
  return views
    .filter((view) => view !== undefined)
    .map(({ person: _, ...view }): ExportRecord => ({ kind: 'guardianship', site: site.site, ...view }))
}

/** What the person is judged by besides the data. */
async function evidenceRecords(
  { db, site }: SiteContext,
  { number, issuer }: KnownPerson,
): Promise<readonly ExportRecord[]> {
  return (await evidenceOf(db, [number])).map((stored): ExportRecord => {
    const { kind, ...view } = evidenceView(stored)
    return { kind: 'ageEvidence', site, issuer, evidenceKind: kind, ...view }
  })
}

async function moveRecords(
  { db, site }: SiteContext,
  { number, issuer }: KnownPerson,
): Promise<readonly ExportRecord[]> {
  return (await movesOf(db, [number])).map(
    ({ country, fromDay, isConfirmed, toldAt, toldBy, receipt }): ExportRecord => ({
      kind: 'move',
      site,
      issuer,
      country,
      fromDay,
      isConfirmed,
      toldAt: formatInstant(toldAt),
      toldBy,
      receipt,
    }),
  )
}

async function refusalRecords(
  { db, site }: SiteContext,
  { number }: KnownPerson,
): Promise<readonly ExportRecord[]> {
  return (await refusalsOf(db, [number])).map(({ terms, refusedAt, refusedBy, receipt }): ExportRecord => ({
    kind: 'refusal',
    site,
    ...terms,
    refusedAt: formatInstant(refusedAt),
    enteredBy: refusedBy,
    receipt,
  }))
}

async function objectionRecords(
  { db, site }: SiteContext,
  { number, issuer }: KnownPerson,
): Promise<readonly ExportRecord[]> {
  return (await objectionsOf(db, [number])).map(
    ({ purpose, dataSet, madeAt, madeBy, receipt, withdrawnAt }): ExportRecord => ({
      kind: 'objection',
      site,
      issuer,
      purpose,
      ...(dataSet === undefined ? {} : { dataSet }),
      madeAt: formatInstant(madeAt),
      enteredBy: madeBy,
      receipt,
      ...(withdrawnAt === undefined ? {} : { withdrawnAt: formatInstant(withdrawnAt) }),
    }),
  )
}

async function basisRecords(site: SiteContext, { number }: KnownPerson): Promise<readonly ExportRecord[]> {
  const covering = await basesCovering(site, [number])
  return covering.map(({ id, facts, recordedAt, recordedBy }): ExportRecord => ({
    kind: 'basis',
    site: site.site,
    basis: id,
    basisKind: facts.kind,
    reference: basisSource(facts),
    dataSets: [...facts.dataSets],
    purposes: [...facts.purposes],
    validFrom: formatInstant(facts.validFrom ?? recordedAt),
    validUntil: formatInstant(facts.validUntil),
    recordedAt: formatInstant(recordedAt),
    recordedBy,
  }))
}

async function requestRecords(site: SiteContext, { number }: KnownPerson): Promise<readonly ExportRecord[]> {
  const requests = await readRequests(site.db, { people: [number], limit: REQUESTS_MAX })
  return Promise.all(
    requests.map(async (stored): Promise<ExportRecord> => {
      const { id, issuer, kind, receivedAt, state, dueOn, events } = await requestDetail(site, stored)
      return {
        kind: 'request',
        site: site.site,
        request: id,
        issuer,
        right: kind,
        receivedAt,
        state,
        dueOn,
        events,
      }
    }),
  )
}

/** More than anybody makes. */
const REQUESTS_MAX = 100_000

async function* grantRecords(
  site: SiteContext,
  { number }: KnownPerson,
): AsyncGenerator<readonly ExportRecord[]> {
  for (let after = 0; ;) {
    const page = await listGrants(site.db, { after, limit: GRANT_PAGE, people: [number] })
    const states = await judgeGrants(site, page)
    yield page.map((grant, index) => grantRecord(grant, { site: site.site, state: states[index] }))
    after = page.at(-1)?.sequence ?? after
    if (page.length < GRANT_PAGE) return
  }
}

const GRANT_PAGE = 500

function grantRecord(
  grant: ListedGrant,
  { site, state }: { site: string; state: GrantState | undefined },
): ExportRecord {
  const { sequence, terms, validFrom, validUntil, givenAt, givenBy, guardianship, receipt } = grant
  const { revokedAt, revokedBy, revocationReceipt } = grant
  return {
    kind: 'grant',
    site,
    grant: grantName(sequence),
    ...terms,
    validFrom: formatInstant(validFrom),
    ...(validUntil === undefined ? {} : { validUntil: formatInstant(validUntil) }),
    givenAt: formatInstant(givenAt),
    enteredBy: givenBy,
    ...(guardianship === undefined ? {} : { guardianship }),
    receipt,
    ...(revokedBy === undefined ? {} : { revokedBy }),
    ...(revokedAt === undefined ? {} : { revokedAt: formatInstant(revokedAt) }),
    ...(revocationReceipt === undefined ? {} : { revocationReceipt }),
    ...(state === undefined ? {} : { state }),
  }
}
