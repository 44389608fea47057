import { formatInstant, instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import { describeProblems } from '../../kernel/parse.ts'
import { manifestProblems } from '../datasets/manifest-problems.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { stepOf } from '../../protocol/money/tariff.ts'
import { REASONS } from '../../protocol/reason.ts'
import { retentionEnd } from '../../protocol/law/retention.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { Outcome } from '../../protocol/reason.ts'
import { lackingAssessments, laterLackingAssessments } from '../assessments/assessment-needed.ts'
import { isAssessed as carriesInterest } from '../assessments/interest-prevails.ts'
import { contractLack, missingContracts } from '../contracts/contract-in-force.ts'
import { describeDataSet } from '../datasets/describe-data-set.ts'
import { findDataSet } from '../datasets/data-set-store.ts'
import type { BatchParts, ImportedBatch } from '../datasets/import-batch.ts'
import { endGrantsOfBarred } from '../principals/end-grants-of-barred.ts'
import { importRows } from '../datasets/import-rows.ts'
import { importFile } from '../datasets/import-file.ts'
import { readImports } from '../datasets/import-store.ts'
import { listDataSets } from '../datasets/list-data-sets.ts'
import type { DataSetSummary } from '../datasets/list-data-sets.ts'
import { retireDataSet } from '../datasets/retire-data-set.ts'
import { missingBases } from '../officer/missing-bases.ts'
import { decidePlace } from '../place/decide-place.ts'
import type { SiteContext } from '../site-context.ts'
import { pageOf } from './page-of.ts'
import type { BatchView, DataSetView, DescribedView, SiteActs } from './site-acts.ts'

type DataSetActs = Pick<
  SiteActs,
  | 'listDataSets'
  | 'findDataSet'
  | 'viewDataSet'
  | 'describeDataSet'
  | 'retireDataSet'
  | 'importBatch'
  | 'importRows'
  | 'listBatches'
>

/** What has reached its end takes no rows: they would be deleted unread. */
function requireKept({ manifests, clock }: SiteContext, dataSet: DataSetId): void {
  const manifest = manifests().get(dataSet)
  if (!manifest || retentionEnd(manifest.retention) > clock.now()) return
  throw new Fault('fault.conflict', {
    what: `Cannot import into "${dataSet}": its retention has ended; describe it with a longer one first`,
  })
}

/** A processor keeps nothing for anybody without a contract (GDPR Art. 28(3)). */
function requireContract(site: SiteContext, dataSet: DataSetId): void {
  const manifest = site.manifests().get(dataSet)
  const lack = manifest && contractLack(site, manifest, site.clock.now())
  if (lack === undefined) return
  throw new Fault('fault.conflict', {
    what: `Cannot import into "${dataSet}": ${lack}; record it first, with "hedgerow officer contract record"`,
  })
}

/** The papers that a data set lacks, so that whoever describes it hears of them before an ask is declined. */
async function lacksOf(site: SiteContext, manifest: Manifest): Promise<DescribedView['lacks']> {
  const now = site.clock.now()
  const facts = { manifest, people: (await site.vault.people(manifest.dataSet)).count(), now }
  const assessments = site.assessments.list()
  return {
    contracts: [...missingContracts(site, [manifest], now)],
    assessments: [...lackingAssessments(assessments, facts)],
    bases: [
      ...missingBases(manifest, {
        bases: site.mirror.basesOf(manifest.dataSet),
        isAssessed: (id, use) => carriesInterest(site.assessments, id, use),
        now,
      }),
    ],
    laterAssessments: [...laterLackingAssessments(assessments, facts)],
  }
}

/** Data sets in the forms of the door. */
export function dataSetActs(site: SiteContext): DataSetActs {
  const summaryOf = async (dataSet: string): Promise<DataSetSummary | undefined> =>
    (await listDataSets(site)).find((summary) => summary.dataSet === dataSet)
  const uncounted = rowsNotCounted(site)
  const viewOf = async (dataSet: string): Promise<DataSetView> => {
    const summary = await summaryOf(dataSet)
    if (!summary) throw new Fault('fault.not_found', { what: `There is no data set "${dataSet}"` })
    return toView(summary, site)
  }
  return {
    async listDataSets({ cursor, limit, issuer }) {
      const all = await listDataSets(site)
      const own = all.filter(({ manifest }) => issuer === undefined || manifest.issuer === issuer)
      const after = own.filter(({ dataSet }) => cursor === undefined || dataSet > cursor)
      return pageOf(after, {
        limit,
        cursorOf: ({ dataSet }) => dataSet,
        viewOf: (summary) => toView(summary, site),
      })
    },
    findDataSet: (dataSet) =>
      Promise.resolve(site.dataSets().find(({ manifest }) => manifest.dataSet === dataSet)),
    viewDataSet: viewOf,
    async describeDataSet(manifest) {
      site.windDown.requireTaking()
      requireSound(manifest)
      await describeDataSet(site, manifest)
      await site.offersChanged()
      return { ...(await viewOf(manifest.dataSet)), lacks: await lacksOf(site, manifest) }
    },
    async retireDataSet(dataSet) {
      await retireDataSet(site, dataSet)
      await site.offersChanged()
      return viewOf(dataSet)
    },
    importBatch: (request) => importHere(site, uncounted, request),
    async importRows({ manifest, ...request }) {
      site.windDown.requireTaking()
      requireKept(site, manifest.dataSet)
      requireContract(site, manifest.dataSet)
      const imported = await importRows(batchParts(site), {
        ...request,
        manifest,
        mayStore: () => decideHere('store', { manifest, site }),
      }).finally(() => endGrantsOfBarred(site))
      const view = importedView(site, imported)
      return withUncounted(view, await uncounted(manifest.dataSet, { ageMaxMs: COUNTED_FOR_MS }))
    },
    async listBatches({ dataSet, cursor, limit }) {
      const imports = await readImports(site.db, { dataSet, after: numberOf(cursor), limit: limit + 1 })
      return pageOf(imports, {
        limit,
        cursorOf: ({ id }) => String(id),
        viewOf: (done) => batchView({ ...done, importedAt: done.doneAt ?? instant(0), isNew: false }),
      })
    },
  }
}

async function importHere(
  site: SiteContext,
  uncounted: ReturnType<typeof rowsNotCounted>,
  { file, dataSet, ...request }: Parameters<SiteActs['importBatch']>[0],
): Promise<BatchView> {
  site.windDown.requireTaking()
  requireKept(site, dataSet)
  requireContract(site, dataSet)
  // Whose ages a file tells is known from when they are numbered on, whatever becomes of its rows.
  const imported = await importFile(
    { ...batchParts(site), directory: site.root, threads: site.vaultThreads },
    { ...request, dataSet, file: { stream: file }, mayStore: () => mayStore(site, dataSet) },
  ).finally(() => endGrantsOfBarred(site))
  return withUncounted(importedView(site, imported), await uncounted(dataSet, { ageMaxMs: 0 }))
}

function withUncounted(view: BatchView, uncounted: BatchView['uncounted']): BatchView {
  return uncounted ? { ...view, uncounted } : view
}

/** Counting goes through the data set: rows that come a few at a time are told of what was counted within a minute. */
const COUNTED_FOR_MS = 60_000

/** Rows past the most of a person, in steps: whoever reads them learns of nobody how many there are. */
function rowsNotCounted({ clock, vault, manifests }: SiteContext) {
  const counted = new Map<
    DataSetId,
    { readonly at: Instant; readonly most: number; readonly view: BatchView['uncounted'] }
  >()
  const count = async (dataSet: DataSetId, most: number): Promise<BatchView['uncounted']> => {
    // Kept in memory: only where somebody has more is anything read.
    if ((await vault.rowsPerPerson(dataSet)) <= most) return undefined
    const { rows, people } = await vault.rowsPast(dataSet, most)
    return { rows: stepOf(rows), people: stepOf(people) }
  }
  return async (dataSet: DataSetId, { ageMaxMs }: { ageMaxMs: number }): Promise<BatchView['uncounted']> => {
    const most = manifests().get(dataSet)?.person.rowsMax
    if (most === undefined) return undefined
    const now = clock.now()
    const known = counted.get(dataSet)
    if (known?.most === most && now - known.at < ageMaxMs) return known.view
    const view = await count(dataSet, most)
    counted.set(dataSet, { at: now, most, view })
    return view
  }
}

function batchParts(site: SiteContext): BatchParts {
  return {
    ...site,
    receipts: site.log,
    keys: site.personKeys,
    lookupKeys: site.keys.lookup,
    noteRows: (tx, facts) => site.partitions.noteChange(tx, facts),
  }
}

function importedView(site: SiteContext, imported: Outcome<ImportedBatch>): BatchView {
  if (!imported.ok) {
    const { code, detail = REASONS[code].forOperator } = imported.error
    throw new Fault('fault.outside_perimeter', {
      what: `Cannot import: ${detail.charAt(0).toLowerCase()}${detail.slice(1)}`,
    })
  }
  if (imported.value.isNew) site.events.imported(imported.value)
  return batchView(imported.value)
}

/** The place must be in the perimeter for storing before a row is read. */
async function mayStore(site: SiteContext, dataSet: Manifest['dataSet']): Promise<Outcome<unknown>> {
  const described = await findDataSet(site.db, dataSet)
  if (!described) throw new Fault('fault.not_found', { what: `There is no data set "${dataSet}"` })
  return decideHere('store', { manifest: described.manifest, site })
}

function decideHere(
  operation: 'store' | 'process',
  { manifest, site }: { manifest: Manifest; site: SiteContext },
): Outcome<unknown> {
  const now = site.clock.now()
  const { perimeter } = manifest
  const evidence = site.evidence.current(now)?.evidence
  return decidePlace({ operation, perimeter, evidence, removed: site.removedGrounds(), now })
}

function requireSound(manifest: Manifest): void {
  const errors = manifestProblems(manifest)
  if (errors.length === 0) return
  throw new Fault('fault.manifest_invalid', {
    what: `Cannot use the manifest: ${describeProblems(errors)}`,
    errors,
  })
}

function toView(summary: DataSetSummary, site: SiteContext): DataSetView {
  const { dataSet, manifest, manifestDigest, describedAt, retiredAt, rows, people, batches } = summary
  return {
    dataSet,
    title: manifest.title,
    issuer: manifest.issuer,
    state: retiredAt === undefined ? 'active' : 'retired',
    rows,
    people,
    batches,
    manifestDigest,
    mayBeStored: decideHere('store', { manifest, site }).ok,
    mayBeProcessed: decideHere('process', { manifest, site }).ok,
    describedAt: formatInstant(describedAt),
  }
}

function batchView(facts: {
  dataSet: string
  batch: string
  rows: number
  newPeople: number
  importedAt: Instant
  isNew: boolean
}): BatchView {
  return { ...pickBatch(facts), importedAt: formatInstant(facts.importedAt) }
}

function pickBatch({ dataSet, batch, rows, newPeople, isNew }: Parameters<typeof batchView>[0]) {
  return { dataSet, batch, rows, newPeople, isNew }
}

function numberOf(cursor: string | undefined): number {
  return cursor !== undefined && /^\d{1,15}$/.test(cursor) ? Number(cursor) : 0
}
