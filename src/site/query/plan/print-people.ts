import { LIMITS } from '../../../kernel/limits.ts'
import type { Text } from '../catalogue/forms.ts'
import type { PlanContext } from './plan-context.ts'

/** What the way in which people are gathered depends on. */
export interface PeoplePrinting {
  readonly context: PlanContext
  /** Most rows of one person that can stand in a group. */
  readonly rowsPerPersonMax: number
}

/**
 * How a set of people is gathered: a list of numbers, again and again for each row, which the vault makes a set of; for
 * more rows than memory should hold a bit string by the person's number, which is slower.
 */
export function printPeople(
  condition: Text | undefined,
  { context: { dialect, relations }, rowsPerPersonMax }: PeoplePrinting,
): Text {
  const filter = condition === undefined ? '' : ` filter (where ${condition})`
  if (dialect === 'postgres') return `array_agg(distinct "q"."_p")${filter}`
  const personCount = Math.max(1, ...[...relations.values()].map((relation) => relation.personCount))
  if (personCount * rowsPerPersonMax <= LIMITS.queryListedPeopleMax) return `list("q"."_p")${filter}`
  // A whole number of bytes: then bit 0 is the first of the first byte.
  return `bitstring_agg("q"."_p", 0, ${Math.ceil(personCount / 8) * 8 - 1})${filter}`
}
