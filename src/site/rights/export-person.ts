import type { KeyObject } from 'node:crypto'
import { begunAhead } from '../../kernel/begun-ahead.ts'
import { formatInstant } from '../../kernel/clock.ts'
import { PERSON_EXPORT_FORMAT } from '../../protocol/rights/person-export.ts'
import type { ExportKind, ExportRecord } from '../../protocol/rights/person-export.ts'
import { readPartyNames } from '../officer/party-names.ts'
import type { SiteContext } from '../site-context.ts'
import { carriedRecords } from './carried-records.ts'
import { basisRecords, grantRecords, objectionRecords, refusalRecords } from './consent-records.ts'
import { dataSetRecords } from './data-set-records.ts'
import { heldKinds, isLookedFor } from './held-kinds.ts'
import type { HeldKind } from './held-kinds.ts'
import { listAccesses } from './list-accesses.ts'
import type { ListedAccess } from './list-accesses.ts'
import { personUses, useFacts } from './list-uses.ts'
import type { KnownPerson } from './person-reading.ts'
import { evidenceRecords, guardianshipRecords, moveRecords, principalRecord } from './principal-records.ts'
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
      if (wants('principal')) yield [await principalRecord(site, { person, dataSets })]
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
