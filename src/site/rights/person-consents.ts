import { formatDate, formatInstant } from '../../kernel/clock.ts'
import { consentReceipt, consentRecord, consentRecords } from '../../protocol/consent/consent-record.ts'
import type { ConsentDecision, ConsentPlace, JsonLd } from '../../protocol/consent/consent-record.ts'
import type { ConsentRecordForm } from '../../protocol/http/consent-record-api.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { judgeGrants } from '../consent/judge-grants.ts'
import { listGrants } from '../consent/list-grants.ts'
import { refusalsOf } from '../consent/refuse-grant.ts'
import { grantName } from '../consent/revoke-grants.ts'
import { readDataSets } from '../datasets/data-set-store.ts'
import { retentionEnd } from '../../protocol/law/retention.ts'
import { readPartyContacts } from '../officer/party-contacts.ts'
import type { SiteContext } from '../site-context.ts'
import { noteAccess } from './note-access.ts'
import { knownPeople } from './person-reading.ts'
import type { KnownPerson, PersonReading } from './person-reading.ts'

/** A person's consents as a JSON-LD document (ISO/IEC TS 27560); the look is noted before anything is shown. */
export async function personConsents(
  site: SiteContext,
  reading: PersonReading,
  form: ConsentRecordForm,
): Promise<JsonLd> {
  const people = await knownPeople(site, reading)
  const receipt = await noteAccess(site, { people, reading, what: 'consents' })
  const { site: name, custodian, clock } = site
  const found = await consentRecordsOf(site, people)
  const records = people.flatMap(({ number }) => found.get(number) ?? [])
  const madeAt = formatInstant(clock.now())
  return form === 'records'
    ? consentRecords(records)
    : consentReceipt(records, { site: name, receipt, madeAt, custodian })
}

/** The records of some people by their numbers: all, or those of one data set. */
export async function consentRecordsOf(
  site: SiteContext,
  people: readonly KnownPerson[],
  dataSet?: DataSetId,
): Promise<ReadonlyMap<number, readonly JsonLd[]>> {
  const [dataSets, contacts] = await Promise.all([readDataSets(site.db), readPartyContacts(site.db)])
  const manifests = new Map(dataSets.map(({ manifest }) => [manifest.dataSet, manifest]))
  const records = new Map<number, JsonLd[]>()
  for (const { person, decision } of await decisionsOf(site, { people, manifests, dataSet })) {
    const manifest = manifests.get(decision.terms.dataSet)
    if (!manifest) continue
    const own = records.get(person) ?? []
    records.set(person, own)
    own.push(consentRecord(decision, placeOf(site, { manifest, contacts })))
  }
  return records
}

function placeOf(
  { site, custodian, territory }: SiteContext,
  { manifest, contacts }: Pick<ConsentPlace, 'manifest' | 'contacts'>,
): ConsentPlace {
  const keptUntil = formatDate(retentionEnd(manifest.retention))
  return { site, custodian, territory, keptUntil, manifest, contacts }
}

const GRANT_PAGE = 500

interface Decided {
  readonly person: number
  readonly decision: ConsentDecision
}

async function decisionsOf(
  site: SiteContext,
  {
    people,
    manifests,
    dataSet,
  }: {
    people: readonly KnownPerson[]
    manifests: ReadonlyMap<DataSetId, Manifest>
    dataSet: DataSetId | undefined
  },
): Promise<readonly Decided[]> {
  const { db } = site
  const keys = new Map(people.map(({ number, key }) => [number, key]))
  const numbers = [...keys.keys()]
  const decided: Decided[] = []
  for (let after = 0; ;) {
    const page = await listGrants(db, {
      after,
      limit: GRANT_PAGE,
      people: numbers,
      ...(dataSet === undefined ? {} : { dataSets: [dataSet] }),
    })
    const states = await judgeGrants({ ...site, manifests: () => manifests }, page)
    for (const [index, grant] of page.entries()) {
      const { sequence, terms, validFrom, validUntil, givenAt, givenBy, revokedAt, receipt, person } = grant
      const decision: ConsentDecision = {
        name: grantName(sequence),
        terms,
        state: states[index] ?? 'expired',
        person: keys.get(person) ?? '',
        decidedAt: formatInstant(givenAt),
        enteredBy: givenBy,
        validFrom: formatInstant(validFrom),
        validUntil: validUntil && formatInstant(validUntil),
        revokedAt: revokedAt && formatInstant(revokedAt),
        receipt,
      }
      decided.push({ person, decision })
    }
    after = page.at(-1)?.sequence ?? after
    if (page.length < GRANT_PAGE) break
  }
  const refusals = await refusalsOf(db, numbers)
  return [
    ...decided,
    ...refusals
      .filter(({ terms }) => dataSet === undefined || terms.dataSet === dataSet)
      .map(({ terms, refusedAt, refusedBy, receipt, person }) => ({
        person,
        decision: {
          name: `refusal_${receipt}`,
          terms,
          state: 'refused' as const,
          person: keys.get(person) ?? '',
          decidedAt: formatInstant(refusedAt),
          enteredBy: refusedBy,
          receipt,
        },
      })),
  ]
}
