import type { z } from 'zod'
import type { Instant } from '../../kernel/clock.ts'
import { basisNeed, specialBasisOf } from '../../protocol/law/basis-needs.ts'
import type { missingBasisSchema } from '../../protocol/http/basis-api.ts'
import type { BasisKind } from '../../protocol/law/basis-record.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { isConsentPresumedUnfree } from '../../protocol/law/legal-basis.ts'
import { isPurposeWithin } from '../../protocol/law/purpose.ts'
import type { HeldBasis } from '../consent/bases-in-force.ts'
import { isInTime } from '../consent/decide-basis.ts'
import type { AssessedInterest } from '../consent/decide-basis.ts'

export type MissingBasis = z.input<typeof missingBasisSchema>

/** Purposes of a data set for which no record in force carries anything, so that uses are declined. */
export function missingBases(
  manifest: Manifest,
  { bases, isAssessed, now }: { bases: readonly HeldBasis[]; isAssessed: AssessedInterest; now: Instant },
): readonly MissingBasis[] {
  const { dataSet } = manifest
  const isThere = (kind: BasisKind, purpose: string) =>
    bases.some(
      ({ facts }) =>
        facts.kind === kind &&
        isInTime(facts, now) &&
        facts.purposes.some((allowed) => isPurposeWithin(purpose, allowed)) &&
        (facts.kind !== 'legitimate_interest' || isAssessed(facts.assessment, { dataSet, purpose, now })),
    )
  return manifest.purposes.flatMap((purpose) =>
    wantedFor(manifest, purpose)
      .filter(({ needs }) => !isThere(needs, purpose))
      .map((wanted) => ({ dataSet, purpose, ...wanted })),
  )
}

function wantedFor(manifest: Manifest, purpose: string): readonly Pick<MissingBasis, 'needs' | 'for'>[] {
  const general = basisNeed(manifest.legalBasis)
  const condition = basisNeed(specialBasisOf(manifest))
  const isUnfree = isConsentPresumedUnfree({ purpose, subjects: manifest.person.subjects })
  const wanted: Pick<MissingBasis, 'needs' | 'for'>[] = []
  if (general !== 'grant' && general !== 'impossible') wanted.push({ needs: general, for: 'every use' })
  if (general === 'grant' && isUnfree) wanted.push({ needs: 'employment', for: 'consent of employees' })
  const hasSpecial = manifest.columns.some(({ sensitivity }) => sensitivity === 'special_category')
  const isOther = condition !== 'grant' && condition !== 'impossible' && condition !== general
  if (hasSpecial && isOther) wanted.push({ needs: condition, for: 'special categories' })
  return wanted
}
