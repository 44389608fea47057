import { Bitset } from '../../kernel/bitset.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { AgeGroups } from './age-groups.ts'
import { decideTerms } from './decide-terms.ts'
import type { TermsUse, TermsVerdict } from './decide-terms.ts'
import type { GrantMirror } from './grant-mirror.ts'

/** Who granted a use, and until when that stays so if no grant changes. */
export interface Granted {
  readonly atThisPrice: Bitset
  /** The same object as `atThisPrice` when nobody is left out for their price. */
  readonly atAnyPrice: Bitset
  readonly before: number
}

/** Unites the people under all terms that cover a use, each by whose grant counts for their age. */
export function collectGranted(
  mirror: GrantMirror,
  { dataSet, termsUse, now, ages }: { dataSet: DataSetId; termsUse: TermsUse; now: Instant; ages: AgeGroups },
): Granted {
  const verdicts = mirror
    .termsOf(dataSet)
    .map(({ id, terms }) => ({ id, givenBy: terms.givenBy, verdict: decideTerms(terms, termsUse) }))
  let before = Infinity
  const united = (givenBy: 'self' | 'guardian', counting: readonly TermsVerdict[]) => {
    const people = new Bitset()
    for (const { id } of verdicts.filter(
      (one) => one.givenBy === givenBy && counting.includes(one.verdict),
    )) {
      before = Math.min(before, mirror.collect(id, { into: people, now }))
    }
    return people
  }
  const granted = (counting: readonly TermsVerdict[]) => {
    const self = united('self', counting)
    const guardian = united('guardian', counting)
    const people = self.intersection(ages.self)
    people.addAll(guardian.intersection(ages.guardian))
    // Where the law asks for both, neither alone is consent (consent-ages.ts).
    people.addAll(self.intersection(guardian).intersection(ages.joint))
    return people
  }
  const atThisPrice = granted(['covers'])
  const hasDearer = verdicts.some(({ verdict }) => verdict === 'price')
  return { atThisPrice, atAnyPrice: hasDearer ? granted(['covers', 'price']) : atThisPrice, before }
}
