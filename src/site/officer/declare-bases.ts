import type { z } from 'zod'
import type { FieldProblem } from '../../kernel/faults.ts'
import { Mutex } from '../../kernel/mutex.ts'
import type { BasisRequest } from '../../protocol/law/basis-record.ts'
import type { DeclaredBasis, basesDeclarationSchema } from '../../protocol/law/declared-bases.ts'
import { basisProblems } from '../consent/basis-problems.ts'
import { readBases, readHeldBases } from '../consent/basis-store.ts'
import { changeBasisPeople, endBasis, recordBasis, uncoverPeople } from '../consent/change-bases.ts'
import { malformed } from '../consent/change-grants.ts'
import type { ChangeFacts } from '../consent/change-grants.ts'
import { peopleOf } from '../consent/people-of.ts'
import { basisName, planBases } from '../consent/plan-bases.ts'
import type { BasisStep, LiveBasis, SaidBasis } from '../consent/plan-bases.ts'
import type { SiteContext } from '../site-context.ts'
import { assessedAt } from './basis-acts.ts'

/** What is declared, and of which issuer's data sets; absent: of all. */
export type BasesDeclaration = z.output<typeof basesDeclarationSchema> & {
  readonly issuer?: string | undefined
}

/** One declaration after the other: two at once would each find nothing there. */
const turn = new Mutex()

/**
 * Puts legal bases in force as files say them, or says what that would change. Everything is checked first. A record that
 * changes is made anew and then the old one ended, so that nothing is without a basis in between; whoever is cut off there
 * is brought to the end by declaring the same again.
 *
 * @throws Fault `fault.request_malformed` that names each wrong field
 */
export async function declareBases(
  site: SiteContext,
  declaration: BasesDeclaration,
  change: ChangeFacts,
): Promise<readonly DeclaredBasis[]> {
  return turn.run(async () => {
    const said = await saidBases(site, declaration.declared)
    const { endsOthers, issuer } = declaration
    const steps = planBases(said, await liveBases(site, issuer), {
      endsOthersOf: new Set(
        endsOthers ? [...(issuer === undefined ? [] : [issuer]), ...said.map((one) => one.issuer)] : [],
      ),
    })
    if (declaration.isDryRun) return steps.map((step) => viewOf(step, step.live?.id))
    const done: DeclaredBasis[] = []
    for (const step of steps) done.push(viewOf(step, await take(site, step, change)))
    if (steps.some(({ action }) => action !== 'none')) await site.log.publish()
    return done
  })
}

/** What is said, with people by number and assessments by id, if nothing stands against it. */
async function saidBases(
  site: SiteContext,
  declared: readonly BasisRequest[],
): Promise<readonly SaidBasis[]> {
  const context = { ...site.consent, isAssessed: assessedAt(site) }
  const problems: FieldProblem[] = []
  const said: SaidBasis[] = []
  const names = new Set<string>()
  for (const [index, written] of declared.entries()) {
    const request = withAssessment(site, written)
    const field = (name: string) => `declared[${index}].${name}`
    const issuer = issuerOf(site, request)
    const name = basisName(request, issuer)
    if (names.has(name))
      problems.push({ field: field('reference'), expected: 'expected each kind and reference once' })
    names.add(name)
    for (const problem of await basisProblems(context, request, site.clock.now()))
      problems.push({ ...problem, field: field(problem.field) })
    const people = await numbersIn(site, request)
    for (const position of people?.unknown ?? [])
      problems.push({
        field: field(`people[${position}]`),
        expected: 'expected the key of a person in the data set',
      })
    said.push({ request, issuer, people: people?.numbers })
  }
  if (problems.length > 0) throw malformed(problems)
  return said
}

/** The issuer of a record's data sets, which is one. */
function issuerOf(
  { manifests }: Pick<SiteContext, 'manifests'>,
  { dataSets }: Pick<BasisRequest, 'dataSets'>,
): string | undefined {
  return dataSets.map((dataSet) => manifests().get(dataSet)?.issuer).find((issuer) => issuer !== undefined)
}

/** An assessment by its id, where its reference is said. */
function withAssessment(site: SiteContext, request: BasisRequest): BasisRequest {
  if (request.kind !== 'legitimate_interest') return request
  const named = site.assessments
    .list()
    .findLast(
      ({ facts, withdrawnAt }) =>
        withdrawnAt === undefined &&
        facts.kind === 'lia' &&
        facts.reference === request.assessment &&
        request.dataSets.some((dataSet) => dataSet === facts.dataSet),
    )
  return named ? { ...request, assessment: named.id } : request
}

async function numbersIn(
  site: SiteContext,
  { people, dataSets: [dataSet] }: BasisRequest,
): Promise<{ readonly numbers: ReadonlySet<number>; readonly unknown: readonly number[] } | undefined> {
  if (people === 'everybody' || dataSet === undefined) return undefined
  const found = await peopleOf(
    site.consent,
    people.map((person) => ({ dataSet, person })),
  )
  return {
    numbers: new Set(found.filter((number) => number >= 0)),
    unknown: [...found.keys()].filter((position) => (found[position] ?? -1) < 0),
  }
}

/** Records that something stands on now or later, in the order in which they were made. */
async function liveBases(site: SiteContext, issuer: string | undefined): Promise<readonly LiveBasis[]> {
  const now = site.clock.now()
  const held = (await readHeldBases(site.db)).filter(
    ({ facts }) => facts.validUntil > now && (issuer === undefined || issuerOf(site, facts) === issuer),
  )
  const order = (await readBases(site.db)).map(({ id, recordedAt }) => [id, recordedAt] as const)
  const recorded = new Map(order)
  return held
    .toSorted((left, right) => (recorded.get(left.id) ?? 0) - (recorded.get(right.id) ?? 0))
    .map(({ id, facts, people }) => ({
      id,
      facts,
      issuer: issuerOf(site, facts),
      ...(people ? { people: new Set(people) } : {}),
    }))
}

/** Makes one step; gives the record that is in force then. */
async function take(site: SiteContext, step: BasisStep, change: ChangeFacts): Promise<string | undefined> {
  const { action, said, live, ends, removed, added } = step
  let basis = live?.id
  if (said && (action === 'add' || action === 'change')) {
    basis = site.ids.next('basis')
    const context = { ...site.consent, isAssessed: assessedAt(site) }
    await recordBasis(context, { id: basis, request: said.request }, change)
  }
  if (said && live && action === 'people') {
    if (removed.length > 0) await uncoverPeople(site.consent, { basis: live.id, people: removed }, change)
    if (added.length > 0 && said.request.people !== 'everybody')
      await changeBasisPeople(site.consent, { basis: live.id, add: said.request.people, remove: [] }, change)
  }
  const reason =
    said && basis !== undefined ? `Replaced by ${basis}, as declared` : 'Not among what is declared'
  for (const { id } of ends) await endBasis(site.consent, { basis: id, reason }, change)
  return said ? basis : undefined
}

function viewOf(step: BasisStep, basis: string | undefined): DeclaredBasis {
  const { action, said, live, ends, changes, added, removed } = step
  const { kind, reference } = said?.request ?? live?.facts ?? {}
  if (kind === undefined || reference === undefined) throw new TypeError('A step is about a record')
  const stays = action === 'none' || action === 'people' || (action === 'end' && said !== undefined)
  const isNew = action === 'add' || action === 'change'
  return {
    kind,
    reference,
    action,
    ...(basis !== undefined && (stays || (isNew && basis !== live?.id)) ? { basis } : {}),
    ends: ends.map(({ id }) => id),
    changes: [...changes],
    ...(action === 'people' ? { added: added.length, removed: removed.length } : {}),
  }
}
