import { join } from 'node:path'
import { generateStudyGrants } from '../../../src/demo/studies/generate-study-grants.ts'
import { STUDIES, STUDY_MEMBERS, readStudyManifest } from '../../../src/demo/studies/studies.ts'
import type { StudyAsk } from '../../../src/demo/studies/study-asks.ts'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { instant } from '../../../src/kernel/clock.ts'
import { LIMITS } from '../../../src/kernel/limits.ts'
import { ok } from '../../../src/kernel/result.ts'
import { minimumGroupOf } from '../../../src/protocol/data-set.ts'
import type { Manifest } from '../../../src/protocol/data-set.ts'
import { grantRequestSchema } from '../../../src/protocol/consent/grant.ts'
import type { GrantRequest, GrantTerms } from '../../../src/protocol/consent/grant.ts'
import type { Outcome } from '../../../src/protocol/reason.ts'
import type { DataSetId } from '../../../src/protocol/wire.ts'
import { demoBasis } from '../../../src/demo/record-bases.ts'
import { basisRequestSchema } from '../../../src/protocol/law/basis-record.ts'
import { missingBases } from '../../../src/site/officer/missing-bases.ts'
import { EligibilityCache } from '../../../src/site/consent/eligibility-cache.ts'
import { decideEligibility } from '../../../src/site/consent/eligibility.ts'
import { GrantMirror } from '../../../src/site/consent/grant-mirror.ts'
import type { MirroredGrant } from '../../../src/site/consent/grant-mirror.ts'
import { EMPTY_PARTITION } from '../../../src/site/guard/partition.ts'
import { guardAnswer } from '../../../src/site/guard/guard-answer.ts'
import { contextWithout } from '../../../src/site/guard/leave-out.ts'
import { chooseNarrowed, planNarrowing } from '../../../src/site/guard/narrow-answer.ts'
import type { Narrowed } from '../../../src/site/guard/narrow-answer.ts'
import type { CheckedQuery } from '../../../src/site/query/bound/bound-query.ts'
import { checkQuestion } from '../../../src/site/query/check-question.ts'
import { collectParts } from '../../../src/site/query/alike/collect-parts.ts'
import { planAggregate } from '../../../src/site/query/plan/plan-aggregate.ts'
import { planRows } from '../../../src/site/query/plan/plan-rows.ts'
import type { PlanRelation, QueryRunner } from '../../../src/site/query/plan/plan-context.ts'
import { finishGroups } from '../../../src/site/query/run/finish-groups.ts'
import type { FinishedRows } from '../../../src/site/query/run/finish-groups.ts'
import { collectGroups } from '../../../src/site/query/run/run-aggregate.ts'
import { runRows } from '../../../src/site/query/run/run-rows.ts'
import type { RowsAnswer } from '../../../src/site/query/run/run-rows.ts'
import { lookupDigest } from '../../../src/site/vault/keys/lookup-digest.ts'
import { tableOf } from '../../../src/site/vault/stored-columns.ts'
import { TEST_SECRET, anImportSite } from '../../site/datasets/an-import-site.ts'
import type { ImportSite } from '../../site/datasets/an-import-site.ts'

/** When everything in these tests happens. */
export const NOW = instant(Date.parse('2026-11-24T10:00:00Z'))

/** The manifests of every study at a site, as its catalogue has them. */
export async function manifestsAt(site: string): Promise<ReadonlyMap<DataSetId, Manifest>> {
  const found = new Map<DataSetId, Manifest>()
  for (const { dataSets } of STUDIES.filter((one) => one.site === site)) {
    for (const { dataSet } of dataSets) {
      const { manifest } = await readStudyManifest(dataSet)
      found.set(manifest.dataSet, manifest)
    }
  }
  return found
}

/** A real vault with the studies of a site, and the grants that the generator makes for them. */
export interface StudySite extends AsyncDisposable {
  /** What the site says to a question: with these grants, as the first one of this acquirer. */
  answer(ask: AskedOfStudy): Promise<Outcome<StudyAnswer>>
}

export type AskedOfStudy = Pick<StudyAsk, 'acquirer' | 'purpose' | 'legalBasis' | 'mode' | 'sql'> & {
  /** Terms that differ from those of the studies. */
  readonly manifests?: (manifest: Manifest) => Manifest
  /** As if everybody with a row had granted everything. */
  readonly isGrantedByAll?: boolean
}

export type StudyAnswer = FinishedRows | RowsAnswer

/** Imports the studies of a site from the directory where they lie. */
export async function openStudySite(site: string, directory: string): Promise<StudySite> {
  const vaultSite = await anImportSite()
  const manifests = await manifestsAt(site)
  const requests: GrantRequest[] = []
  for (const study of STUDIES.filter((one) => one.site === site)) {
    for (const { dataSet, file } of study.dataSets) {
      const { manifest } = await readStudyManifest(dataSet)
      await vaultSite.import(manifest, { file: { path: join(directory, file) } })
    }
    for await (const grant of generateStudyGrants(study, { directory, now: NOW })) {
      requests.push(grantRequestSchema.parse(grant))
    }
  }
  const mirror = await mirrorOf(requests, { vaultSite, manifests })
  return {
    answer: (ask) => answer(ask, { vaultSite, manifests, mirror }),
    [Symbol.asyncDispose]: () => vaultSite[Symbol.asyncDispose](),
  }
}

interface OpenSite {
  readonly vaultSite: ImportSite
  readonly manifests: ReadonlyMap<DataSetId, Manifest>
  readonly mirror: GrantMirror
}

async function mirrorOf(
  requests: readonly GrantRequest[],
  { vaultSite, manifests }: Pick<OpenSite, 'vaultSite' | 'manifests'>,
): Promise<GrantMirror> {
  const wordings = new Map<string, number>()
  const lookups = requests.map(({ dataSet, person }) =>
    lookupDigest([TEST_SECRET], { issuer: manifests.get(dataSet)?.issuer ?? '', personKey: person }),
  )
  const numbers = await vaultSite.parts.vault.findPeople(lookups)
  const newTerms: { id: number; terms: GrantTerms }[] = []
  const given = requests.map((request, index): MirroredGrant => {
    const { validFrom, validUntil } = request
    const terms = termsOf(request)
    const wording = JSON.stringify(terms)
    const id = wordings.get(wording) ?? wordings.size
    if (!wordings.has(wording)) newTerms.push({ id, terms })
    wordings.set(wording, id)
    const isStanding = validUntil === undefined
    return {
      person: numbers[index] ?? -1,
      terms: id,
      from: validFrom ?? 0,
      until: validUntil ?? Infinity,
      isStanding,
    }
  })
  const mirror = new GrantMirror()
  const bases = [...manifests.values()].flatMap((manifest) =>
    missingBases(manifest, { bases: [], isAssessed: () => true, now: NOW }),
  )
  mirror.apply({
    sequence: given.length,
    newTerms,
    given,
    revoked: [],
    bases: bases.map((missing, index) => {
      const facts = basisRequestSchema.parse(demoBasis(missing, 'assessment'))
      return {
        what: 'recorded',
        basis: { id: `basis_${index}`, facts: { ...facts, people: 'everybody' } },
      }
    }),
  })
  return mirror
}

function termsOf({ person: _, validFrom: __, validUntil: ___, ...terms }: GrantRequest): GrantTerms {
  return terms
}

async function answer(ask: AskedOfStudy, site: OpenSite): Promise<Outcome<StudyAnswer>> {
  const change = ask.manifests ?? ((manifest) => manifest)
  const manifests = new Map([...site.manifests].map(([name, manifest]) => [name, change(manifest)]))
  const checked = checkQuestion(ask.sql, { mode: ask.mode, dataSets: manifests })
  if (!checked.ok) return checked
  const used = checked.value.dataSets.flatMap((name) => manifests.get(name) ?? [])
  const minimumGroup = Math.max(...used.map((one) => minimumGroupOf(one, usesSpecial(checked.value, one))))
  const eligible = new Map<DataSetId, Bitset>()
  for (const manifest of used) {
    const people = await peopleOf(checked.value, { ask, manifest, minimumGroup, site })
    if (!people.ok) return people
    eligible.set(manifest.dataSet, people.value)
  }
  return withRelations([...eligible], site, (relations) =>
    run(checked.value, { relations, eligible, minimumGroup, used, site }),
  )
}

function columnsOf({ uses }: CheckedQuery, { dataSet }: Manifest): readonly string[] {
  return [...new Set(uses.filter((use) => use.dataSet === dataSet).map(({ column }) => column))]
}

function usesSpecial(checked: CheckedQuery, manifest: Manifest): boolean {
  const used = columnsOf(checked, manifest)
  return manifest.columns.some(
    ({ name, sensitivity }) => used.includes(name) && sensitivity === 'special_category',
  )
}

async function peopleOf(
  checked: CheckedQuery,
  {
    ask,
    manifest,
    minimumGroup,
    site,
  }: { ask: AskedOfStudy; manifest: Manifest; minimumGroup: number; site: OpenSite },
): Promise<Outcome<Bitset>> {
  const { vault } = site.vaultSite.parts
  if (ask.isGrantedByAll) return ok(await vault.people(manifest.dataSet))
  const decided = decideEligibility(
    {
      mirror: site.mirror,
      cache: new EligibilityCache(),
      siteCountry: 'DE',
      principals: await vault.principals(),
      people: await vault.people(manifest.dataSet),
      restricted: () => new Bitset(),
      isAssessed: () => true,
    },
    {
      ...ask,
      acquirerClass: STUDY_MEMBERS.find(({ id }) => id === ask.acquirer)?.acquirerClass,
      subjectsPriceMinor: 0,
      minimumGroup: ask.mode === 'rows' ? 1 : minimumGroup,
      now: NOW,
    },
    { manifest, columns: columnsOf(checked, manifest) },
  )
  return decided.ok ? ok(decided.value.eligible) : decided
}

async function withRelations<T>(
  [first, ...rest]: readonly (readonly [DataSetId, Bitset])[],
  site: OpenSite,
  use: (relations: ReadonlyMap<string, PlanRelation>) => Promise<T>,
): Promise<T> {
  if (!first) return use(new Map())
  const [dataSet, people] = first
  const { vault } = site.vaultSite.parts
  const personCount = await vault.personCount()
  const cacheKey = Buffer.from(people.toBytes()).toString('base64')
  return vault.withEligible({ people, cacheKey }, (eligible) =>
    withRelations(rest, site, (others) =>
      use(new Map([...others, [dataSet, { table: tableOf(dataSet), eligible, personCount }]])),
    ),
  )
}

async function run(
  checked: CheckedQuery,
  {
    relations,
    eligible,
    minimumGroup,
    used,
    site,
  }: {
    relations: ReadonlyMap<string, PlanRelation>
    eligible: ReadonlyMap<DataSetId, Bitset>
    minimumGroup: number
    used: readonly Manifest[]
    site: OpenSite
  },
): Promise<Outcome<StudyAnswer>> {
  const runner: QueryRunner = {
    run: (statement) =>
      site.vaultSite.parts.vault.run(statement, {
        timeoutMs: LIMITS.queryTimeoutMs,
        rowsMax: LIMITS.releaseRowsMax,
      }),
  }
  if (checked.mode === 'rows') return runRows(planRows(checked, { dialect: 'duckdb', relations }), runner)
  const dominanceBp = Math.min(...used.map((manifest) => manifest.dominanceBp))
  const collect = async (tables: ReadonlyMap<string, PlanRelation>) => {
    const plan = planAggregate(checked, { dialect: 'duckdb', relations: tables })
    return { plan, groups: await collectGroups(plan, runner, { dominanceBp }) }
  }
  const { plan, groups } = await collect(relations)
  if (!groups.ok) return groups
  const told = await collectParts(checked, groups.value, {
    context: { dialect: 'duckdb', relations },
    runner,
  })
  if (!told.ok) return told
  const context = {
    settings: { minimumGroup, dominanceBp, groupsMax: LIMITS.queryGroupsMax },
    partitions: [...eligible].map(([dataSet, people]) => ({
      dataSet,
      partition: EMPTY_PARTITION,
      eligible: people,
    })),
    parts: told.value,
    rowShapes: new Map(),
  }
  const given = { groups: groups.value, context, whole: guardAnswer(groups.value, context) }
  const tried: Narrowed[] = []
  let leaving = planNarrowing(given)
  while (leaving) {
    const { people: without } = leaving
    const others = [...eligible].map(([name, people]) => [name, people.difference(without)] as const)
    const rest = await withRelations(others, site, async (tables) => (await collect(tables)).groups)
    if (!rest.ok) return rest
    tried.push({ leaving, narrowed: guardAnswer(rest.value, contextWithout(context, leaving)) })
    leaving = planNarrowing(given, tried)
  }
  const guarded = chooseNarrowed(given, tried)
  return guarded.ok ? finishGroups(plan, guarded.value, runner) : guarded
}
