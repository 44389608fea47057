import type { DataSetId, MemberId } from '../../protocol/wire.ts'
import { peopleBehind } from '../asks/recorded-uses.ts'
import type { SiteContext } from '../site-context.ts'
import { namedPeople } from '../rights/named-people.ts'
import { noteAccess } from '../rights/note-access.ts'
import type { IncidentScope } from '../../protocol/http/officer-api.ts'
import type { AffectedPeople } from './view-incident.ts'

/**
 * Whose data an incident is about, within some data sets: those behind the releases of a time, by the record of them, or
 * everybody in the data sets.
 */
export async function affectedPeople(
  site: SiteContext,
  scope: IncidentScope,
  within: readonly DataSetId[],
): Promise<AffectedPeople> {
  if (scope.kind === 'releases') {
    const { acquirer, dataSet, from, to } = scope
    const dataSets = within.filter((name) => dataSet === undefined || name === dataSet)
    const { releases, acquirers, byDataSet } = await peopleBehind(site.db, { acquirer, dataSets, from, to })
    return { releases, recipients: acquirers, byDataSet }
  }
  const byDataSet = new Map<
    string,
    { people: Awaited<ReturnType<typeof site.vault.people>>; columns: Set<string> }
  >()
  for (const dataSet of scope.dataSets) {
    if (!within.includes(dataSet)) continue
    const columns = site.manifests().get(dataSet)?.columns ?? []
    byDataSet.set(dataSet, {
      people: await site.vault.people(dataSet),
      columns: new Set(columns.map(({ name }) => name)),
    })
  }
  return { releases: 0, recipients: [], byDataSet }
}

/**
 * The keys by which an issuer knows the affected people of its data sets, so that it can write to them. Whoever was erased is not
 * among them. That they were read is noted for each, with a receipt, and the person sees it.
 */
export async function affectedKeys(
  site: SiteContext,
  { affected, issuer, incident }: { affected: AffectedPeople; issuer: MemberId; incident: string },
): Promise<{ dataSet: DataSetId; person: string }[]> {
  const found: { dataSet: DataSetId; person: string }[] = []
  const reading = { by: `issuer:${issuer}`, reason: `letter about ${incident}` }
  const noted = new Set<number>()
  for (const manifest of site.manifests().values()) {
    const people = affected.byDataSet.get(manifest.dataSet)?.people
    if (!people) continue
    for await (const portion of namedPeople(site, { manifest, people })) {
      const unnoted = portion.filter(({ number }) => !noted.has(number))
      if (unnoted.length > 0) await noteAccess(site, { people: unnoted, reading, what: 'letter' })
      for (const { number, key } of portion) {
        noted.add(number)
        found.push({ dataSet: manifest.dataSet, person: key })
      }
    }
  }
  return found
}
