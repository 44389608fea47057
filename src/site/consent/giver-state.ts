import { canonicalJson } from '../../kernel/canonical-json.ts'
import type { ConsentGiver } from '../../protocol/law/consent-ages.ts'
import type { GrantState, GrantTerms } from '../../protocol/consent/grant.ts'
import { isPurposeWithin } from '../../protocol/law/purpose.ts'

/** Whose grant it is, and whose counts. */
export interface GiverFacts {
  readonly decides: ConsentGiver
  /** Of a guardian's grant: whether a guardian who is established stands behind it. */
  readonly hasGuardian: boolean
  /** Other grants of the person that hold, for where both have to give one. */
  readonly others: readonly GrantTerms[]
}

/** What a grant lacks for whose it is, by age and law; `undefined` where it authorises what it says. */
export function giverState(
  terms: GrantTerms,
  { decides, hasGuardian, others }: GiverFacts,
): Extract<GrantState, 'needs_guardian' | 'needs_both' | 'handed_over'> | undefined {
  const isGuardians = terms.givenBy === 'guardian'
  if (decides === 'self') return isGuardians ? 'handed_over' : undefined
  if (isGuardians && !hasGuardian) return 'needs_guardian'
  if (decides === 'guardian') return isGuardians ? undefined : 'needs_guardian'
  return others.some((other) => other.givenBy !== terms.givenBy && mayMeet(terms, other))
    ? undefined
    : 'needs_both'
}

/** Whether there may be a use that both cover. */
function mayMeet(one: GrantTerms, other: GrantTerms): boolean {
  if (one.dataSet !== other.dataSet) return false
  const isSameGrantee = canonicalJson(one.grantee) === canonicalJson(other.grantee)
  const isWide = [one, other].some(({ grantee }) => 'anyone' in grantee)
  if (!isSameGrantee && !isWide) return false
  return (
    one.modes.some((mode) => other.modes.includes(mode)) &&
    one.purposes.some((purpose) =>
      other.purposes.some((second) => isPurposeWithin(purpose, second) || isPurposeWithin(second, purpose)),
    )
  )
}
