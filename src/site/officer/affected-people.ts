import type { KeyObject } from 'node:crypto'
import type { DataSetId } from '../../protocol/wire.ts'
import { peopleBehind } from '../asks/recorded-uses.ts'
import type { SiteContext } from '../site-context.ts'
import { openCell } from '../vault/person-keys.ts'
import type { IncidentScope } from '../../protocol/officer-api.ts'
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

/** People whose keys are opened at one time. */
const PORTION = 2_000

/**
 * The keys by which an issuer knows the affected people of its data sets, so that it can write to them. Whoever was erased is not
 * among them. That they were read is a receipt for each, which the person can find.
 */
export async function affectedKeys(
  site: SiteContext,
  affected: AffectedPeople,
): Promise<{ dataSet: DataSetId; person: string }[]> {
  const found: { dataSet: DataSetId; person: string }[] = []
  const read: number[] = []
  for (const [dataSet, { people }] of affected.byDataSet) {
    const manifest = [...site.manifests().values()].find((each) => each.dataSet === dataSet)
    if (!manifest) continue
    const place = { dataSet, column: manifest.person.key }
    for (const portion of portions([...people])) {
      const keys = await site.personKeys.keysOf(site.db, portion)
      for (const person of portion) {
        const text = await openedKey(site, { person, place, key: keys.get(person) })
        if (text === undefined) continue
        found.push({ dataSet: manifest.dataSet, person: text })
        read.push(person)
      }
    }
  }
  await writeReadReceipts(site, [...new Set(read)])
  return found
}

async function openedKey(
  site: SiteContext,
  {
    person,
    place,
    key,
  }: { person: number; place: { dataSet: string; column: string }; key: KeyObject | undefined },
): Promise<string | undefined> {
  if (!key) return undefined
  const sealed = await site.vault.listSealedKeys(person)
  const own = sealed.find(({ dataSet }) => dataSet === place.dataSet)
  return own && openCell(own.sealed, { key, place })
}

async function writeReadReceipts(site: SiteContext, people: readonly number[]): Promise<void> {
  for (const portion of portions(people)) {
    const subjects = await site.personKeys.subjectsOf(
      site.db,
      portion.map((person) => ({ person, text: 'letter of an incident' })),
    )
    await site.db.transaction().execute((tx) =>
      site.log.issue(
        tx,
        subjects.map((subjectOf) => ({ kind: 'export' as const, subjectOf })),
      ),
    )
  }
  await site.log.publish()
}

function* portions(people: readonly number[]): Generator<readonly number[]> {
  for (let start = 0; start < people.length; start += PORTION) yield people.slice(start, start + PORTION)
}
