import { later } from '../../kernel/clock.ts'
import { ok } from '../../kernel/result.ts'
import { minimumGroupOf, privateMinimumGroupOf } from '../../protocol/data-set.ts'
import type { Column, Manifest } from '../../protocol/data-set.ts'
import { endedColumns, retentionEnd } from '../../protocol/law/retention.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'
import { ADMISSION_CHECKS, CHECKS_WITHIN, admit } from '../asks/admission-checks.ts'
import type { AdmissionFacts } from '../asks/admission-checks.ts'
import { useOf } from '../asks/use-of-people.ts'
import { decideEligibility } from '../consent/eligibility.ts'
import type { EligibilityContext } from '../consent/eligibility.ts'
import type { Member } from '../../protocol/member.ts'
import { decidePlace } from '../place/decide-place.ts'
import type { AskedAccess } from './read-question.ts'

/** What a decision about a use rests on, loaded once: the decision itself is pure. */
export interface AccessFacts extends Pick<
  AdmissionFacts,
  'manifest' | 'isCustodian' | 'evidence' | 'removedGrounds' | 'unassessedRisk' | 'contractLack' | 'now'
> {
  readonly acquirer: Pick<Member, 'status' | 'transferBases' | 'acquirerClass'>
}

/** What a use that is allowed rests on. */
export interface AllowedAccess {
  /** Records of legal bases, by id. */
  readonly bases: readonly string[]
  /** What the guard holds a release to, whoever computes it. */
  readonly minimumGroup: number
  readonly columns: readonly string[]
}

const MINUTE_MS = 60_000

/** A use without its people: what the terms, the place and the law say. Gives the columns that it may read. */
export function admitAccess(asked: AskedAccess, facts: AccessFacts): Outcome<readonly Column[]> {
  const { manifest, now } = facts
  const decline = admit(
    {
      ...facts,
      ask: { ...useOfQuestion(asked, manifest), releaseTo: asked.releaseTo, expires: later(now, MINUTE_MS) },
    },
    asked.action === 'release' ? ADMISSION_CHECKS : CHECKS_WITHIN,
  )
  if (decline) return declined(decline.code, decline)
  if (!manifest) return declined('declined.no_route')
  const usable = manifest.columns.filter(isUsable)
  const columns = asked.columns ? usable.filter(({ name }) => asked.columns?.includes(name)) : usable
  if (columns.length === 0 || (asked.columns && columns.length !== new Set(asked.columns).size))
    return declined('declined.column', {
      detail: 'A column is none of the data set, or may stand in no question',
    })
  const ended = new Set(endedColumns(manifest, now))
  if (columns.some(({ name }) => ended.has(name))) return declined('declined.retention')
  return ok(columns)
}

/**
 * Whether people's grants and the legal bases carry a use of columns: of one person by number, or of the data set, where those
 * who allowed it are nobody below the minimum group, in mode `rows` as well: an answer about a data set is never about one
 * person. Of one person only yes or no is said, and the same of whoever is not there.
 */
export function decideAccess(
  { asked, columns, person }: { asked: AskedAccess; columns: readonly Column[]; person?: number | undefined },
  { context, facts, manifest }: { context: EligibilityContext; facts: AccessFacts; manifest: Manifest },
): Outcome<AllowedAccess> {
  const minimumGroup = leastPeople(manifest, { asked, columns })
  const names = columns.map(({ name }) => name)
  const ask = { ...useOfQuestion(asked, manifest), acquirer: asked.acquirer }
  const isOfOne = asked.person !== undefined
  const use = useOf({ ...facts, ask }, { manifest, minimumGroup: isOfOne ? 1 : minimumGroup })
  const decided = decideEligibility(context, use, { manifest, columns: names })
  if (isOfOne) {
    // That very many are restricted is not about this one.
    if (!decided.ok && decided.error.code !== 'declined.restricted') return decided
    const isAllowed =
      decided.ok && decided.value.isEnough && person !== undefined && decided.value.eligible.has(person)
    if (!isAllowed) return declined('declined.nobody_eligible')
    return ok({ bases: decided.value.bases, minimumGroup, columns: names })
  }
  if (!decided.ok) return decided
  // A use of fewer columns might be enough; which, is for a question to find out.
  if (!decided.value.isEnough) return declined('declined.nobody_eligible')
  return ok({ bases: decided.value.bases, minimumGroup, columns: names })
}

/** Whether the custodian may keep a data set where it stands now. It does nothing else with one. */
export function decideKeeping({
  manifest,
  evidence,
  removedGrounds,
  now,
}: Pick<AccessFacts, 'evidence' | 'removedGrounds' | 'now'> & {
  readonly manifest: Manifest
}): Outcome<unknown> {
  const { perimeter, retention } = manifest
  const placed = decidePlace({ operation: 'store', perimeter, evidence, removed: removedGrounds, now })
  if (!placed.ok) return placed
  return retentionEnd(retention) > now ? ok(undefined) : declined('declined.retention')
}

function useOfQuestion({ purpose, legalBasis, mode }: AskedAccess, manifest: Manifest | undefined) {
  return { purpose, mode, legalBasis: legalBasis ?? manifest?.legalBasis ?? '' }
}

function leastPeople(
  manifest: Manifest,
  { asked, columns }: { asked: AskedAccess; columns: readonly Column[] },
): number {
  const isSpecial = columns.some(({ sensitivity }) => sensitivity === 'special_category')
  return asked.mode === 'private'
    ? privateMinimumGroupOf(manifest, isSpecial)
    : minimumGroupOf(manifest, isSpecial)
}

/** Columns under a person's own key stand in no question. */
function isUsable({ sensitivity }: Column): boolean {
  return sensitivity === 'ordinary' || sensitivity === 'special_category'
}
