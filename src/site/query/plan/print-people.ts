import { LIMITS } from '../../../kernel/limits.ts'
import type { Text } from '../catalogue/forms.ts'
import type { PlanContext } from './plan-context.ts'

/** What the way in which people are gathered depends on. */
export interface PeoplePrinting {
  readonly context: PlanContext
  /** Most rows of one person that can stand in a group. */
  readonly rowsPerPersonMax: number
}

/** `filter (where …)` of the conditions that there are. */
export function printFilter(conditions: readonly (Text | undefined)[]): Text {
  const given = conditions.filter((condition) => condition !== undefined)
  return given.length === 0 ? '' : ` filter (where ${given.join(' and ')})`
}

/**
 * How a set of people is gathered: a list of numbers, again and again for each row, which the vault makes a set of; for
 * more rows than memory should hold a bit string by the person's number, which is slower.
 */
export function printPeople(
  conditions: readonly (Text | undefined)[],
  { context: { dialect, relations }, rowsPerPersonMax }: PeoplePrinting,
): Text {
  if (dialect === 'postgres') return `array_agg(distinct "q"."_p")${printFilter(conditions)}`
  const personCount = Math.max(1, ...[...relations.values()].map((relation) => relation.personCount))
  if (personCount * rowsPerPersonMax <= LIMITS.queryListedPeopleMax)
    return `list("q"."_p")${printFilter(conditions)}`
  // A whole number of bytes: then bit 0 is the first of the first byte.
  return `bitstring_agg("q"."_p", 0, ${Math.ceil(personCount / 8) * 8 - 1})${printFilter(conditions)}`
}
