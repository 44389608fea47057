import { formatInstant } from '../../kernel/clock.ts'
import type { ExportRecord } from '../../protocol/rights/person-export.ts'
import { guardianshipsOf } from '../principals/guardianship-store.ts'
import { evidenceOf, movesOf } from '../principals/principal-store.ts'
import { evidenceView } from '../principals/view-principal.ts'
import { viewGuardianship } from '../principals/view-guardianship.ts'
import { knownAgeOf, whoDecides } from '../principals/who-decides.ts'
import type { DataSetRecord } from '../datasets/data-set-store.ts'
import type { SiteContext } from '../site-context.ts'
import type { KnownPerson } from './person-reading.ts'

/** When the person was born, where they live and who decides for them, as far as it is known here. */
export async function principalRecord(
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

/** Who decides or decided for the person. */
export async function guardianshipRecords(
  site: SiteContext,
  { number }: KnownPerson,
): Promise<readonly ExportRecord[]> {
  const stored = await guardianshipsOf(site.db, [number])
  const views = await Promise.all(stored.map((one) => viewGuardianship(site, one)))
  return views
    .filter((view) => view !== undefined)
    .map(({ person: _, ...view }): ExportRecord => ({ kind: 'guardianship', site: site.site, ...view }))
}

/** What the age of the person is judged by besides the data. */
export async function evidenceRecords(
  { db, site }: SiteContext,
  { number, issuer }: KnownPerson,
): Promise<readonly ExportRecord[]> {
  return (await evidenceOf(db, [number])).map((stored): ExportRecord => {
    const { kind, ...view } = evidenceView(stored)
    return { kind: 'ageEvidence', site, issuer, evidenceKind: kind, ...view }
  })
}

/** Where the person was said to have moved. */
export async function moveRecords(
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
