import type { Instant } from '../../kernel/clock.ts'
import type { StoredGuardianship } from './guardianship-store.ts'

/** What is said where somebody is named as a guardian of whom more is known here than the issuer says. */
export const GUARDIAN_EXPECTED =
  'expected somebody who decides for themselves; by the birth date that is known here this one does not'

/** Whether a guardianship stands at a moment, whatever age the child has. */
export function isStanding(
  { from, until, endedAt }: Pick<StoredGuardianship, 'from' | 'until' | 'endedAt'>,
  now: Instant,
): boolean {
  return endedAt === undefined && from <= now && (until === undefined || now < until)
}

/**
 * Who has to stand behind a consent that one guardian gives: that one alone, or every guardian there is where any of
 * them may only decide jointly. `incomplete` where somebody who decides jointly is the only one that is known.
 */
export function whoMustAgree(
  one: StoredGuardianship,
  standing: readonly StoredGuardianship[],
): readonly StoredGuardianship[] | 'incomplete' {
  if (standing.every(({ authority }) => authority === 'sole')) return [one]
  return standing.length < 2 ? 'incomplete' : standing
}
