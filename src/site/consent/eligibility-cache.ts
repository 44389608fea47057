import type { Instant } from '../../kernel/clock.ts'
import type { Principals } from '../vault/vault.ts'
import { ageGroups } from './age-groups.ts'
import type { AgeFacts, AgeGroups } from './age-groups.ts'
import type { Granted } from './collect-granted.ts'
import type { GrantMirror } from './grant-mirror.ts'

/** Unions that are kept: one takes an eighth of a byte for each person. */
const GRANTED_MAX = 32
const AGE_GROUPS_MAX = 8

/**
 * What deciding has worked out before, kept as long as it is certain to come out the same: the same grants (by the
 * mirror's sequence), no grant that has begun or ended since, the same ages. It makes decisions faster, never other.
 */
export class EligibilityCache {
  readonly #granted = new Map<
    string,
    Granted & { readonly sequence: number; readonly since: number; readonly ages: AgeGroups }
  >()
  readonly #ages = new Map<string, { readonly principals: Principals; readonly groups: AgeGroups }>()

  /** The union of grants under a key that names everything else that it depends on. */
  granted(
    mirror: GrantMirror,
    { key, now, ages, collect }: { key: string; now: Instant; ages: AgeGroups; collect: () => Granted },
  ): Granted {
    const known = this.#granted.get(key)
    const isSame = known?.sequence === mirror.sequence && known.ages === ages
    if (known && isSame && known.since <= now && now < known.before) return known
    const fresh = { ...collect(), sequence: mirror.sequence, since: now, ages }
    keep(this.#granted, { key, value: fresh, most: GRANTED_MAX })
    return fresh
  }

  /** Groups by age; they move only at midnight UTC, or when what is known of people changes. */
  ageGroups(principals: Principals, facts: AgeFacts): AgeGroups {
    const key = JSON.stringify([facts.siteCountry, facts.today, facts.ageOn, facts.ageAtLeast])
    const known = this.#ages.get(key)
    if (known?.principals === principals) return known.groups
    const groups = ageGroups(principals, facts)
    keep(this.#ages, { key, value: { principals, groups }, most: AGE_GROUPS_MAX })
    return groups
  }
}

/** Sets an entry; past the most, the one that was set longest ago goes. */
function keep<T>(
  entries: Map<string, T>,
  { key, value, most }: { key: string; value: T; most: number },
): void {
  entries.delete(key)
  entries.set(key, value)
  const oldest = entries.keys().next()
  if (entries.size > most && !oldest.done) entries.delete(oldest.value)
}
