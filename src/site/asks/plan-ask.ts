import { digestOf } from '../../kernel/digest.ts'
import { err, ok } from '../../kernel/result.ts'
import type { Question } from '../../protocol/ask.ts'
import {
  minimumGroupOf,
  privateMinimumGroupOf,
  setsPerPersonIn,
  setsPerPersonOf,
} from '../../protocol/data-set.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome, ReasonCode } from '../../protocol/reason.ts'
import type { KeptRows } from '../../protocol/law/retention.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { DataSetRecord } from '../datasets/data-set-store.ts'
import type { PartitionLook } from '../guard/partition-store.ts'
import { decideEligibility } from '../consent/eligibility.ts'
import type { Eligibility } from '../consent/eligibility.ts'
import { planPrivacy } from '../privacy/plan-privacy.ts'
import type { PrivacyPlan } from '../privacy/plan-privacy.ts'
import type { CheckedQuery } from '../query/bound/bound-query.ts'
import { checkQuestion } from '../query/check-question.ts'
import { dropOutputs } from '../query/narrow.ts'
import { unassessedRisk } from '../assessments/unassessed-risk.ts'
import { contractLack } from '../contracts/contract-in-force.ts'
import { admit } from './admission-checks.ts'
import type { AskFacts } from './ask-facts.ts'
import { declineInNames } from './decline-in-names.ts'
import { eligibilityContext, useOf } from './use-of-people.ts'
import { withinRetention } from './within-retention.ts'
import { orderOf } from '../guard/pseudonym.ts'
import type { PseudonymScope } from '../guard/pseudonym.ts'
import type { PeopleOrder } from '../query/plan/plan-context.ts'
import type { SiteParts } from './site-parts.ts'

/** One data set of a question, with who may be used in it. */
export interface PlannedDataSet {
  readonly manifest: Manifest
  /** The digest of that manifest, as the record names the terms in force. */
  readonly terms: string
  readonly eligibility: Eligibility
  /** The rows that a run uses, where rows end by a date of their own. */
  readonly kept?: KeptRows | undefined
}

/** An ask that may run: what, over whom, and what was narrowed. */
export interface PlannedAsk {
  readonly checked: CheckedQuery
  readonly dataSets: ReadonlyMap<DataSetId, PlannedDataSet>
  /** Least numbers of rows that anything shown stands on, each of a person or of people together. */
  readonly minimumGroup: number
  /** Least people whom anything shown is about. */
  readonly minimumPeople: number
  /** Strictest share of a sum that the rows of one number may have. */
  readonly dominanceBp: number
  readonly reason: Extract<ReasonCode, 'approved' | `partial.${string}`>
  readonly narrowedColumns: readonly string[]
  readonly consentSequence: number
  /** Of mode `private`: its noise, fixed before any data is looked at. */
  readonly privacy?: PrivacyPlan | undefined
  /** Of mode `rows`: in which order people come whose rows are alike. */
  readonly order?: PeopleOrder | undefined
}

/**
 * From an opened question to what may run: the gate checks the text, every data set it names is admitted by its own
 * terms, and people's grants decide over whom. Outputs over columns that too few people granted are left out
 * (*partial*); a column that decides which rows count cannot be.
 */
export async function planAsk(
  facts: AskFacts,
  question: Question,
  parts: SiteParts,
): Promise<Outcome<PlannedAsk>> {
  if (!('sql' in question)) {
    return declined('declined.mode', { detail: 'Functions are not offered by this site yet' })
  }
  const [manifests, records] = [parts.manifests(), parts.dataSets()]
  const checked = checkQuestion(question.sql, {
    mode: facts.ask.mode,
    dataSets: manifests,
    parameters: question.parameters,
  })
  if (!checked.ok) return err(declineInNames(checked.error, { text: question.sql, manifests }))
  const used = await usedManifests(checked.value, facts, { manifests, parts })
  if (!used.ok) return used
  const retained = withinRetention(checked.value, {
    manifests: used.value,
    now: facts.now,
    text: question.sql,
  })
  if (!retained.ok) return retained
  const { checked: within, dropped } = retained.value
  await parts.rowEnds.upTo(used.value, facts.now)
  const planned = await decidePeople(within, {
    facts,
    manifests: used.value,
    records,
    parts,
    text: question.sql,
  })
  if (!planned.ok || dropped.length === 0) return planned
  const narrowedColumns = [...new Set([...dropped, ...planned.value.narrowedColumns])]
  return ok({ ...planned.value, reason: 'partial.columns', narrowedColumns })
}

/** The manifests of the data sets that a question uses, each admitted by its own terms. */
async function usedManifests(
  { dataSets }: CheckedQuery,
  facts: AskFacts,
  { manifests, parts }: { manifests: ReadonlyMap<DataSetId, Manifest>; parts: SiteParts },
): Promise<Outcome<readonly Manifest[]>> {
  if (!dataSets.includes(facts.ask.offer)) {
    return declined('declined.column', {
      detail: `The question does not use the data set "${facts.ask.offer}" that was asked for`,
    })
  }
  const used: Manifest[] = []
  for (const dataSet of dataSets) {
    const manifest = manifests.get(dataSet)
    const decline = admit({
      ...facts,
      manifest,
      unassessedRisk: await riskOf(manifest, facts, parts),
      // Looked at for each attempt: a contract may have ended meanwhile.
      contractLack: manifest && contractLack(parts, manifest, facts.now),
    })
    if (!manifest || decline) return declined(decline?.code ?? 'declined.no_route', { ...decline })
    if (manifest.issuer !== facts.manifest?.issuer) {
      return declined('declined.sql_not_supported', {
        detail: 'A question joins data sets of one issuer only',
      })
    }
    used.push(manifest)
  }
  return ok(used)
}

/** A data set that is joined is of high risk by itself, whatever carries the one that was asked for. */
async function riskOf(
  manifest: Manifest | undefined,
  { ask, unassessedRisk: known }: AskFacts,
  parts: SiteParts,
): Promise<string | undefined> {
  if (!manifest || manifest.dataSet === ask.offer) return known
  return unassessedRisk(parts, { manifest, purpose: ask.purpose })
}

interface PeopleFacts {
  readonly facts: AskFacts
  readonly manifests: readonly Manifest[]
  /** As the record had them when the manifests were read. */
  readonly records: readonly DataSetRecord[]
  readonly parts: SiteParts
  /** Of the question, for where a decline points. */
  readonly text: string
}

async function decidePeople(checked: CheckedQuery, people: PeopleFacts): Promise<Outcome<PlannedAsk>> {
  const first = await eligibilities(checked, people)
  if (!first.ok) return first
  const missing = uncovered(checked, first.value.dataSets)
  if (missing.length === 0) return ok(planned(checked, first.value, { narrowedColumns: [], people }))
  const narrowed = dropOutputs(checked, missing, people.text)
  if (!narrowed.ok) return narrowed
  const second = await eligibilities(narrowed.value.checked, people)
  if (!second.ok) return second
  if (uncovered(narrowed.value.checked, second.value.dataSets).length > 0)
    return declined('declined.nobody_eligible')
  return ok(
    planned(narrowed.value.checked, second.value, { narrowedColumns: narrowed.value.dropped, people }),
  )
}

/**
 * Whether what an ask was planned by still counts, asked after the record was looked into: whatever the look knows of, the plan
 * has to be made with. It does not once a day has passed, whose rows have ended since, nor once other terms are in force, by which
 * values count that the guard takes for those of before. Of these the next plan is made, whoever else was told of them.
 */
export async function isStillSo(
  { dataSets }: PlannedAsk,
  look: Pick<PartitionLook, 'terms'>,
  { rowEnds, offersChanged }: Pick<SiteParts, 'rowEnds' | 'offersChanged'>,
): Promise<boolean> {
  const all = [...dataSets]
  const isOfTerms = all.every(([dataSet, { terms }]) => look.terms.get(dataSet) === terms)
  if (!isOfTerms) await offersChanged()
  return isOfTerms && all.every(([dataSet, { kept }]) => rowEnds.isOf(dataSet, kept))
}

/** The ask as it was answered: what was approved as asked is partial where the guard left people out. */
export function asAnswered(
  planned: PlannedAsk,
  { isNarrowed }: { readonly isNarrowed?: true | undefined },
): PlannedAsk {
  return isNarrowed && planned.reason === 'approved'
    ? { ...planned, reason: 'partial.differencing' }
    : planned
}

interface Eligibilities {
  readonly dataSets: ReadonlyMap<DataSetId, PlannedDataSet>
  readonly minimumPeople: number
  readonly minimumGroup: number
}

async function eligibilities(
  checked: CheckedQuery,
  { facts, manifests, records, parts }: PeopleFacts,
): Promise<Outcome<Eligibilities>> {
  const minimumPeople = Math.max(
    ...manifests.map((manifest) => {
      const isSpecial = usesSpecialCategory(checked, manifest)
      const least =
        checked.mode === 'private'
          ? privateMinimumGroupOf(manifest, isSpecial)
          : minimumGroupOf(manifest, isSpecial)
      return least / setsPerPersonOf(manifest)
    }),
  )
  // k numbers of rows may be about fewer than k people: so many more of them are not.
  const minimumGroup = minimumPeople * setsPerPersonIn(manifests)
  const dataSets = new Map<DataSetId, PlannedDataSet>()
  for (const manifest of manifests) {
    const eligibility = decideEligibility(
      await eligibilityContext(parts, { dataSet: manifest.dataSet, now: facts.now }),
      useOf(facts, { manifest, minimumGroup: facts.ask.mode === 'rows' ? 1 : minimumGroup }),
      { manifest, columns: columnsOf(checked, manifest.dataSet) },
    )
    if (!eligibility.ok) return eligibility
    const allowed = await allowedRows(eligibility.value, manifest.dataSet, parts)
    const kept = parts.rowEnds.kept(manifest.dataSet)
    const terms = records.find((record) => record.manifest === manifest)?.manifestDigest ?? ''
    dataSets.set(manifest.dataSet, { manifest, terms, eligibility: allowed, kept })
  }
  return ok({ dataSets, minimumPeople, minimumGroup })
}

/** From people to the numbers that rows have: one about several people may be used when each of them may be. */
async function allowedRows(
  eligibility: Eligibility,
  dataSet: DataSetId,
  { vault }: SiteParts,
): Promise<Eligibility> {
  const households = await vault.households()
  if (households.isEmpty) return eligibility
  const eligible = households.allowedBy(eligibility.eligible, await vault.numbers(dataSet))
  return { ...eligibility, eligible, digest: digestOf(eligible.toBytes()) }
}

function planned(
  checked: CheckedQuery,
  { dataSets, minimumPeople, minimumGroup }: Eligibilities,
  { narrowedColumns, people }: { narrowedColumns: readonly string[]; people: PeopleFacts },
): PlannedAsk {
  const all = [...dataSets.values()]
  const isPriced = all.some(({ eligibility }) => eligibility.excludedByPrice.count() >= minimumGroup)
  return {
    checked,
    dataSets,
    minimumGroup,
    minimumPeople,
    dominanceBp: Math.floor(
      Math.min(...people.manifests.map(({ dominanceBp }) => dominanceBp)) / setsPerPersonIn(people.manifests),
    ),
    reason: narrowedColumns.length > 0 ? 'partial.columns' : isPriced ? 'partial.people' : 'approved',
    narrowedColumns,
    consentSequence: Math.min(...all.map(({ eligibility }) => eligibility.sequence)),
    ...(checked.mode === 'rows' ? { order: orderOf(pseudonymScopeOf(people.facts.ask, people.parts)) } : {}),
    ...(checked.mode === 'private'
      ? {
          privacy: planPrivacy(checked, {
            privacy: people.facts.ask.privacy,
            minimumGroup,
            setsPerPerson: setsPerPersonIn(people.manifests),
          }),
        }
      : {}),
  }
}

/** Under which names an ask shows people. */
export function pseudonymScopeOf(
  { acquirer, purpose, offer }: AskFacts['ask'],
  { keys }: Pick<SiteParts, 'keys'>,
): PseudonymScope {
  return { key: keys.pseudonym, acquirer, purpose, dataSet: offer }
}

/** Columns that the question uses and too few people granted. */
function uncovered(
  checked: CheckedQuery,
  dataSets: ReadonlyMap<DataSetId, PlannedDataSet>,
): readonly { readonly dataSet: DataSetId; readonly column: string }[] {
  return [...dataSets].flatMap(([dataSet, { eligibility }]) => {
    if (eligibility.isEnough) return []
    const covered = new Set(eligibility.coveredColumns)
    return columnsOf(checked, dataSet)
      .filter((column) => !covered.has(column))
      .map((column) => ({ dataSet, column }))
  })
}

/** A name of the columns that a question uses of a data set: those decide, beside what people granted, who may be used. */
export function useNameOf(checked: CheckedQuery, dataSet: DataSetId): string {
  return digestOf(columnsOf(checked, dataSet).toSorted().join(' '))
}

function columnsOf({ uses }: CheckedQuery, dataSet: DataSetId): readonly string[] {
  return [...new Set(uses.filter((use) => use.dataSet === dataSet).map(({ column }) => column))]
}

function usesSpecialCategory(checked: CheckedQuery, manifest: Manifest): boolean {
  const used = new Set(columnsOf(checked, manifest.dataSet))
  return manifest.columns.some(
    ({ name, sensitivity }) => used.has(name) && sensitivity === 'special_category',
  )
}
