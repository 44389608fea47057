import { canonicalJson } from '../../kernel/canonical-json.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Digest } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import type { FieldProblem } from '../../kernel/faults.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { consentTextDigest } from '../../protocol/consent/consent-text.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { GrantRequest, GrantTerms } from '../../protocol/consent/grant.ts'
import { isKnownPurpose, isPurposeRefused } from '../../protocol/law/purpose.ts'
import type { ReceiptDraft } from '../../protocol/proof/receipt.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { changeGrants, malformed } from './change-grants.ts'
import type { ChangeFacts, ConsentContext } from './change-grants.ts'
import { AT_ONCE_MAX } from './change-at-once.ts'
import type { ProposedChange } from './change-at-once.ts'
import type { KnownTerms } from './grant-mirror.ts'
import type { GrantsChanged } from './grant-calls.ts'
import {
  coveredAlready,
  digestOfTerms,
  ensureTerms,
  insertGrants,
  isStanding,
  liveGrantsOf,
  normalTerms,
} from './grant-store.ts'
import type { LiveGrant, NewGrant } from './grant-store.ts'
import { barredGuardianships, guardGrants } from './guard-grants.ts'
import type { StandingGrant } from './guard-grants.ts'
import type { ReadyGrant } from './ready-grant.ts'
import { fulfilAgreements } from './guardian-agreements.ts'
import { peopleOf } from './people-of.ts'
import { writeRevocations } from './revoke-grants.ts'
import type { EndingGrant } from './revoke-grants.ts'

/**
 * Gives grants, all or none, in one transaction with a receipt each; they are in force when this resolves. A grant that
 * adds nothing to one that is there already (same person, same terms, lasting as long) is left out.
 *
 * @throws Fault `fault.request_malformed` naming each field, `fault.idempotency_conflict`, or what the record says
 */
export async function giveGrants(
  context: ConsentContext,
  requests: readonly GrantRequest[],
  facts: ChangeFacts,
): Promise<GrantsChanged> {
  const ready = await readyGrants(context, requests)
  const barred = await barredGuardianships(context, ready)
  return changeGrants(context, {
    body: { give: requests },
    facts,
    atOnce: {
      people: ready.map(({ person }) => person),
      propose: (now) => Promise.resolve(proposeGrants(context, ready, now)),
    },
    act: async (tx, { last, now }) => {
      const terms = await ensureTerms(tx, new Map(ready.map((grant) => [grant.digest, grant.terms])))
      const { complete, awaiting } = await guardGrants(tx, ready, { context, facts, now, terms, barred })
      const asked = withoutRepeats(complete, { terms, now })
      const covered = await coveredAlready(tx, asked)
      const fresh = asked.filter((_, position) => !covered.has(position))
      const superseded = await supersede(tx, complete, { context, last, now, by: facts.by })
      const reached = last + superseded.length
      const given = await writeGrants(tx, fresh, { context, last: reached, now, by: facts.by })
      return {
        change: {
          sequence: reached + given.length,
          newTerms: [...terms.values()],
          given: given.map((grant) => ({ ...grant, isStanding: isStanding({ ...grant, givenAt: now }) })),
          revoked: superseded,
          awaiting,
        },
        unchanged: requests.length - given.length - awaiting,
      }
    },
  })
}

/** The common case: people's own grants of terms that are known already, in place of none. */
function proposeGrants(
  { mirror }: ConsentContext,
  ready: readonly ReadyGrant[],
  now: Instant,
): ProposedChange | undefined {
  if (ready.some(({ terms, replaces }) => terms.givenBy === 'guardian' || replaces)) return undefined
  const terms = new Map<Digest, KnownTerms>()
  for (const { digest } of ready) {
    const known = mirror.termsBy(digest)
    if (!known) return undefined
    terms.set(digest, known)
  }
  const asked = withoutRepeats(ready, { terms, now })
  if (asked.length === 0 || asked.length > AT_ONCE_MAX) return undefined
  return {
    entries: asked.map(({ person, terms: id, from, until, dataSet, digest, notice }) => ({
      what: 'grant',
      person,
      terms: id,
      from,
      until,
      draft: { kind: 'grant', dataSet, policy: digest, ...noticeFact(notice) },
    })),
    changeFrom: (first) => ({
      sequence: first + asked.length - 1,
      newTerms: [],
      given: asked.map(({ person, terms: id, from, until }, index) => ({
        sequence: first + index,
        person,
        terms: id,
        from,
        until,
        isStanding: isStanding({ from, until, givenAt: now }),
      })),
      revoked: [],
    }),
    unchanged: ready.length - asked.length,
  }
}

/** Ends what the new grants take the place of: other terms of the same person to the same grantee on the data set. */
async function supersede(
  tx: DatabaseTransaction,
  ready: readonly StandingGrant[],
  facts: { context: ConsentContext; last: number; now: Instant; by: string },
): Promise<readonly LiveGrant[]> {
  const ending = new Map<number, EndingGrant>()
  const replacing = ready.filter(({ replaces }) => replaces)
  for (const [dataSet, own] of Map.groupBy(replacing, ({ terms }) => terms.dataSet)) {
    const live = await liveGrantsOf(tx, { people: own.map(({ person }) => person), dataSet })
    for (const grant of live) {
      const isReplaced = own.some(
        ({ person, terms, digest }) =>
          person === grant.person &&
          digestOfTerms(grant.grantTerms) !== digest &&
          terms.givenBy === grant.grantTerms.givenBy &&
          canonicalJson(terms.grantee) === canonicalJson(grant.grantTerms.grantee),
      )
      if (isReplaced) ending.set(grant.sequence, grant)
    }
  }
  return writeRevocations(tx, [...ending.values()], { ...facts, cause: 'superseded' })
}

type AskedGrant = Pick<NewGrant, 'person' | 'terms' | 'from' | 'until' | 'guardianship'> & {
  readonly digest: Digest
  readonly dataSet: DataSetId
  /** The text that the person was shown. */
  readonly notice: Digest | undefined
  readonly agreements: readonly number[]
}

function withoutRepeats(
  ready: readonly StandingGrant[],
  { terms, now }: { terms: ReadonlyMap<Digest, { id: number }>; now: Instant },
): readonly AskedGrant[] {
  const asked = new Map<string, AskedGrant>()
  for (const grant of ready) {
    const from = grant.validFrom ?? now
    const until = grant.validUntil ?? Infinity
    const id = terms.get(grant.digest)?.id
    if (id === undefined) throw new Fault('fault.internal', { what: 'The dictionary of terms lost an entry' })
    const { person, digest, guardianship, agreements = [] } = grant
    const { dataSet, notice } = grant.terms
    const asking = { person, terms: id, from, until, digest, dataSet, notice, guardianship, agreements }
    asked.set(`${person} ${id} ${from} ${until} ${guardianship ?? ''}`, asking)
  }
  return [...asked.values()]
}

async function writeGrants(
  tx: DatabaseTransaction,
  asked: readonly AskedGrant[],
  { context, last, now, by }: { context: ConsentContext; last: number; now: Instant; by: string },
): Promise<readonly NewGrant[]> {
  if (asked.length === 0) return []
  const subjects = await context.subjectOf(
    asked.map(({ person }, index) => ({ person, text: `grant ${last + 1 + index}` })),
  )
  const receipts = await context.receipts.issue(
    tx,
    asked.map(({ dataSet, digest, notice }, index) => ({
      kind: 'grant',
      subjectOf: subjects[index],
      dataSet,
      policy: digest,
      ...noticeFact(notice),
    })),
  )
  const grants = asked.map(({ person, terms, from, until, guardianship }, index) => {
    const receipt = receipts[index]?.sequence
    if (receipt === undefined) throw new Fault('fault.internal', { what: 'The log gave too few receipts' })
    return { sequence: last + 1 + index, person, terms, from, until, receipt, guardianship }
  })
  await insertGrants(tx, grants, { now, by })
  for (const [index, { agreements: ids }] of asked.entries())
    if (ids.length > 0) await fulfilAgreements(tx, { ids, grant: last + 1 + index })
  return grants
}

async function readyGrants(
  context: ConsentContext,
  requests: readonly GrantRequest[],
): Promise<readonly ReadyGrant[]> {
  if (requests.length > LIMITS.grantsPerCallMax) {
    throw malformed([
      { field: 'grants', expected: `expected at most ${LIMITS.grantsPerCallMax} in one call` },
    ])
  }
  const people = await peopleOf(context, requests)
  const manifests = await manifestsOf(context, requests)
  const now = context.clock.now()
  const problems: FieldProblem[] = []
  const normalised = new Map<
    string,
    { terms: GrantTerms; digest: Digest; problems: readonly FieldProblem[] }
  >()
  const ready = requests.map(({ person: _, guardian, validFrom, validUntil, replaces, ...terms }, index) => {
    const text = JSON.stringify(terms)
    let normal = normalised.get(text)
    if (!normal) {
      const plain = toText(normalTerms(terms), manifests.get(terms.dataSet))
      normal = {
        terms: plain,
        digest: digestOfTerms(plain),
        problems: termsProblems(plain, manifests.get(plain.dataSet)),
      }
      normalised.set(text, normal)
    }
    const at = (problem: FieldProblem) => ({ ...problem, field: `grants[${index}].${problem.field}` })
    problems.push(...normal.problems.map(at))
    const person = people[index] ?? -1
    if (person < 0)
      problems.push(at({ field: 'person', expected: 'expected the key of a person in the data set' }))
    if (validUntil !== undefined && validUntil <= (validFrom ?? now)) {
      problems.push(at({ field: 'validUntil', expected: 'expected a time after the grant begins' }))
    }
    const { terms: wording, digest } = normal
    return { index, person, guardian, terms: wording, digest, validFrom, validUntil, replaces }
  })
  if (problems.length > 0) throw malformed(problems)
  return ready
}

/** The text that a person was shown, as a receipt says it (GDPR Art. 7(1)). */
export function noticeFact(notice: Digest | undefined): Pick<ReceiptDraft, 'noticeVersions'> {
  return notice === undefined ? {} : { noticeVersions: [notice] }
}

/** A grant is given to a text: the one that it names, else the one that stands. */
export function toText(terms: GrantTerms, manifest: Manifest | undefined): GrantTerms {
  if (terms.notice !== undefined || manifest === undefined) return terms
  return { ...terms, notice: consentTextDigest(manifest, terms.columns) }
}

/** What stands against terms that are offered, field by field. */
export function termsProblems(terms: GrantTerms, manifest: Manifest | undefined): readonly FieldProblem[] {
  if (!manifest) return [{ field: 'dataSet', expected: 'expected a data set of this site' }]
  const problems: FieldProblem[] = []
  for (const purpose of terms.purposes) {
    if (!isKnownPurpose(purpose))
      problems.push({ field: 'purposes', expected: 'expected purposes of DPV 2.2, not its root' })
    else if (isPurposeRefused(purpose)) {
      problems.push({
        field: 'purposes',
        expected: 'expected a purpose that may be allowed; no consent allows this one',
      })
    }
  }
  if (terms.notice !== undefined && terms.notice !== consentTextDigest(manifest, terms.columns)) {
    problems.push({
      field: 'notice',
      expected: 'expected the text as it stands now; it has changed, so show it and ask again',
    })
  }
  const columns = new Set(manifest.columns.map(({ name }) => name))
  for (const column of terms.columns ?? []) {
    if (!columns.has(column))
      problems.push({ field: 'columns', expected: 'expected columns of the data set' })
  }
  return problems
}

async function manifestsOf(
  { findManifest }: ConsentContext,
  requests: readonly GrantRequest[],
): Promise<ReadonlyMap<DataSetId, Manifest | undefined>> {
  const manifests = new Map<DataSetId, Manifest | undefined>()
  for (const { dataSet } of requests) {
    if (!manifests.has(dataSet)) manifests.set(dataSet, await findManifest(dataSet))
  }
  return manifests
}
