import { canonicalJson } from '../kernel/canonical-json.ts'
import { parseInstant } from '../kernel/clock.ts'
import { Fault } from '../kernel/faults.ts'
import { PeerRefusal } from '../kernel/http/call-json.ts'
import { CARRIED_KINDS } from '../protocol/rights/person-export.ts'
import type { ExportRecord } from '../protocol/rights/person-export.ts'
import type { SiteAdministration, WireGrant, WireManifest } from './issuer.ts'
import type { PersonRecords } from './person.ts'

type RecordOf<Kind extends ExportRecord['kind']> = Extract<ExportRecord, { kind: Kind }>

/** What came over from an export. */
export interface CarriedPerson {
  readonly dataSets: number
  readonly rows: number
  readonly grants: number
  /** Records of the former site that are kept as history. */
  readonly history: number
}

/**
 * Brings one person's export to another site with nothing lost (GDPR Art. 20): data sets that are missing are
 * described, rows imported, grants in force given anew, and everything that happened before is carried as history.
 * The same export again changes nothing, and rows that are there already are not brought a second time; where the site has other rows
 * as well as fewer, nothing is brought, because nobody can tell which are right. The issuer does it, for what it knows of the person; an
 * export may hold more.
 */
export async function carryPerson(
  exported: Iterable<ExportRecord>,
  {
    administration,
    records: person,
    identity: { issuer, key },
    now,
  }: {
    administration: SiteAdministration
    records: PersonRecords
    identity: { readonly issuer: string; readonly key: string }
    now: number
  },
): Promise<CarriedPerson> {
  const all = ofIssuer([...exported], issuer)
  const head = all.find((one): one is RecordOf<'export'> => one.kind === 'export')
  if (!head)
    throw new Fault('fault.request_malformed', { what: 'Cannot import: this is no export of a person' })
  if (!all.some((one) => one.kind === 'identity' && one.issuer === issuer && one.key === key))
    throw new Fault('fault.request_malformed', {
      what: `Cannot import: this is not the export of a person whom "${issuer}" knows by that key`,
    })
  // Before anything is brought over: the site would refuse the last step only.
  const { site: here } = await administration.site()
  if (head.site === here)
    throw new Fault('fault.request_malformed', {
      what: `Cannot import: the export was made at "${here}", which has all of it; give it to another site`,
    })
  const dataSets = all.filter((one): one is RecordOf<'dataSet'> => one.kind === 'dataSet')
  const present = new Set<string>((await administration.dataSets()).map(({ dataSet }) => dataSet))
  const missing = await missingRows(all, person)
  let rows = 0
  for (const { dataSet, manifest } of dataSets) {
    if (!present.has(dataSet)) await administration.describe(manifest)
    rows += await importRows(administration, {
      manifest,
      batch: `export-${head.site}-${head.receipt}`,
      rows: missing.get(dataSet) ?? [],
    })
  }
  await establishGuardians(all, { person, site: head.site })
  const grants = grantsInForce(all, { site: head.site, now })
  const given = grants.length === 0 ? 0 : (await administration.giveGrants(grants)).changed
  for (const one of all) {
    if (one.kind === 'objection' && one.site === head.site && one.withdrawnAt === undefined)
      await person.objectTo(one.purpose, one.dataSet)
  }
  // Of a person who comes back, the site has its own history.
  const history = all
    .filter((one): one is RecordOf<(typeof CARRIED_KINDS)[number]> =>
      CARRIED_KINDS.some((kind) => kind === one.kind),
    )
    .filter(({ site }) => site !== here)
  const carried = history.length === 0 ? 0 : (await person.carry(history)).carried
  return { dataSets: dataSets.length, rows, grants: given, history: carried }
}

/** Rows of the export that the site does not have, by data set: equal rows are counted, not held to be one. */
async function missingRows(
  exported: readonly ExportRecord[],
  person: PersonRecords,
): Promise<ReadonlyMap<string, readonly RecordOf<'row'>[]>> {
  const isRow = (one: ExportRecord): one is RecordOf<'row'> => one.kind === 'row'
  const here = Map.groupBy(await rowsHere(person), ({ dataSet }) => dataSet)
  const missing = new Map<string, readonly RecordOf<'row'>[]>()
  for (const [dataSet, brought] of Map.groupBy(exported.filter(isRow), (row) => row.dataSet)) {
    const left = new Map<string, number>()
    for (const row of here.get(dataSet) ?? []) left.set(nameOf(row), (left.get(nameOf(row)) ?? 0) + 1)
    const lacking = brought.filter((row) => {
      const count = left.get(nameOf(row)) ?? 0
      if (count > 0) left.set(nameOf(row), count - 1)
      return count === 0
    })
    const others = left.values().reduce((sum, count) => sum + count, 0)
    if (lacking.length > 0 && others > 0)
      throw new Fault('fault.conflict', {
        what: `Cannot import: of "${dataSet}" the site has ${others} rows of this person that the export has not, and lacks ${lacking.length}; correct them there, or erase the person there first`,
      })
    missing.set(dataSet, lacking)
  }
  return missing
}

/** What the site has of the person already; nothing of somebody whom it does not know. */
async function rowsHere(person: PersonRecords): Promise<readonly RecordOf<'row'>[]> {
  const request = { format: 'jsonl', reason: 'an export of this person is brought here' } as const
  const found = await person.export(request).catch((error: unknown) => {
    if (error instanceof PeerRefusal && error.status === 404) return undefined
    throw error
  })
  if (!found) return []
  const lines = (await new Response(found).text()).split('\n')
  return lines.flatMap((line) => {
    const record = line === '' ? undefined : (JSON.parse(line) as ExportRecord)
    return record?.kind === 'row' ? [record] : []
  })
}

/** What a row says, whatever the order of its values. */
function nameOf({ values }: RecordOf<'row'>): string {
  return canonicalJson(values)
}

/** Whoever speaks for the person at the former site does so here, on the same document; who does already is left alone. */
async function establishGuardians(
  records: readonly ExportRecord[],
  { person, site }: { person: PersonRecords; site: string },
): Promise<void> {
  for (const one of records) {
    if (one.kind !== 'guardianship' || one.site !== site || one.state !== 'in_force') continue
    const { guardian, authority, from, until, document } = one
    if (guardian === undefined) continue
    const facts = { guardian, authority, from, document, ...(until === undefined ? {} : { until }) }
    await person.establishGuardian(facts).catch((error: unknown) => {
      if (!(error instanceof PeerRefusal && error.status === 409)) throw error
    })
  }
}

/** The guardians of the exporting site who can stand behind a grant there, by name. */
function guardiansInForce(records: readonly ExportRecord[], site: string): readonly string[] {
  return records.flatMap((one) =>
    one.kind === 'guardianship' && one.site === site && one.state === 'in_force' && one.guardian !== undefined
      ? [one.guardian]
      : [],
  )
}

/** Kinds of records that are about the person as one issuer knows them. */
const OF_ISSUER: ReadonlySet<ExportRecord['kind']> = new Set([
  'objection',
  'request',
  'guardianship',
  'ageEvidence',
  'move',
])

/** Without what is about data sets of other issuers. */
function ofIssuer(records: readonly ExportRecord[], issuer: string): readonly ExportRecord[] {
  const others = new Set(
    records.flatMap((one) => (one.kind === 'dataSet' && one.manifest.issuer !== issuer ? [one.dataSet] : [])),
  )
  return records.filter((one) => {
    if (OF_ISSUER.has(one.kind) && 'issuer' in one && one.issuer !== issuer) return false
    if (one.kind === 'basis') return one.dataSets.some((dataSet) => !others.has(dataSet))
    return !('dataSet' in one) || one.dataSet === undefined || !others.has(one.dataSet)
  })
}

async function importRows(
  administration: SiteAdministration,
  { manifest, batch, rows }: { manifest: WireManifest; batch: string; rows: readonly RecordOf<'row'>[] },
): Promise<number> {
  if (rows.length === 0) return 0
  const sources = new Map(manifest.columns.map(({ name, source }) => [name, source ?? name]))
  const lines = rows.map(({ values }) =>
    JSON.stringify(
      Object.fromEntries(Object.entries(values).map(([name, value]) => [sources.get(name) ?? name, value])),
    ),
  )
  const done = await administration.importFile({
    dataSet: manifest.dataSet,
    batch,
    format: 'ndjson',
    body: new Blob([`${lines.join('\n')}\n`]).stream(),
  })
  return done.isNew ? done.rows : 0
}

/** Grants of the exporting site that hold now or will: what it carried itself was in force elsewhere. */
function grantsInForce(
  records: readonly ExportRecord[],
  { site, now }: { site: string; now: number },
): readonly WireGrant[] {
  const keys = new Map(
    records.flatMap((one) => (one.kind === 'identity' ? [[one.dataSet, one.key] as const] : [])),
  )
  const guardians = guardiansInForce(records, site)
  return records.flatMap((one) => {
    if (one.kind !== 'grant' || one.site !== site || one.revokedAt !== undefined) return []
    if (one.validUntil !== undefined && (parseInstant(one.validUntil) ?? 0) <= now) return []
    const person = keys.get(one.dataSet)
    if (person === undefined) return []
    const { dataSet, grantee, purposes, modes, columns, isExplicit, givenBy, minimumPriceMinor } = one
    const { validFrom, validUntil } = one
    // A guardian's grant is entered once for each who stands behind it: the site knows who has to.
    const givers = givenBy === 'guardian' ? guardians.map((guardian) => ({ guardian })) : [{}]
    const terms = { dataSet, grantee, purposes, modes, isExplicit, givenBy, minimumPriceMinor, validFrom }
    return givers.map((giver) => ({
      ...terms,
      ...giver,
      person,
      ...(columns === undefined ? {} : { columns }),
      ...(validUntil === undefined ? {} : { validUntil }),
    }))
  })
}
