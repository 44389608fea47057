import { formatDate } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { isPurposeWithin } from '../../protocol/law/purpose.ts'
import type { Assessment } from './assessment-store.ts'

/**
 * From how many people on special categories count as used on a large scale. The law gives no number (GDPR Art. 35(3)(b),
 * recital 91); authorities have named 5,000 to 10,000, and the lower one is taken.
 */
const LARGE_SCALE_PEOPLE = 5_000

/** Purposes that evaluate people one by one or watch them at work: two of the nine criteria of WP 248 rev.01, III.B. */
const EVALUATING_PURPOSES = ['dpv:HumanResourceManagement', 'dpv:Personalisation']

/** What an assessment is looked for by. */
export interface AssessedUse {
  readonly manifest: Pick<Manifest, 'columns' | 'modes' | 'dataSet'>
  readonly purpose: string
  readonly people: number
}

/** Why a use is of high risk, so that nobody may begin it without an impact assessment (GDPR Art. 35); nothing when it is not. */
export function highRiskOf({ manifest, purpose, people }: AssessedUse): string | undefined {
  const isSpecial = manifest.columns.some(({ sensitivity }) => sensitivity === 'special_category')
  if (isSpecial && people >= LARGE_SCALE_PEOPLE)
    return `special categories of ${LARGE_SCALE_PEOPLE.toLocaleString('en')} people or more (GDPR Art. 35(3)(b))`
  if (EVALUATING_PURPOSES.some((evaluating) => isPurposeWithin(purpose, evaluating)))
    return 'people are evaluated or watched (GDPR Art. 35(3)(a); WP 248 rev.01, III.B)'
  return undefined
}

/** A use of high risk that no assessment carries. */
export interface LackingAssessment {
  readonly dataSet: string
  readonly purpose: string
  readonly reason: string
}

/** The purposes of a data set whose use would be of high risk with so many people, and that no assessment carries. */
export function lackingAssessments(
  assessments: readonly Assessment[],
  { manifest, people, now }: { manifest: Manifest; people: number; now: Instant },
): readonly LackingAssessment[] {
  return manifest.purposes.flatMap((purpose) => {
    const reason = highRiskOf({ manifest, purpose, people })
    const isCarried = assessments.some((assessment) => carries(assessment, { manifest, purpose, now }))
    return reason === undefined || isCarried ? [] : [{ dataSet: manifest.dataSet, purpose, reason }]
  })
}

/** Those that will be lacking as soon as there are people enough for special categories to be used on a large scale. */
export function laterLackingAssessments(
  assessments: readonly Assessment[],
  { manifest, people, now }: { manifest: Manifest; people: number; now: Instant },
): readonly LackingAssessment[] {
  if (people >= LARGE_SCALE_PEOPLE) return []
  const known = lackingAssessments(assessments, { manifest, people, now }).map(({ purpose }) => purpose)
  return lackingAssessments(assessments, { manifest, people: LARGE_SCALE_PEOPLE, now }).filter(
    ({ purpose }) => !known.includes(purpose),
  )
}

/** Whether an assessment carries a use today: of the data set, for the purpose or a broader one, not withdrawn, not due for review. */
export function carries(
  assessment: Assessment,
  { manifest, purpose, now }: Omit<AssessedUse, 'people'> & { readonly now: Instant },
): boolean {
  const { facts, withdrawnAt } = assessment
  return (
    withdrawnAt === undefined &&
    facts.kind === 'dpia' &&
    facts.dataSet === manifest.dataSet &&
    isPurposeWithin(purpose, facts.purpose) &&
    facts.approvedOn <= formatDate(now) &&
    formatDate(now) < facts.reviewBy
  )
}
