import type { Bitset } from '../../kernel/bitset.ts'
import type { CollectedGroup, CollectedMeasure } from './collected-group.ts'
import type { GuardSettings } from './guard-groups.ts'
import { setsOfMeasure } from './guard-groups.ts'
import { unionOf } from './merge-groups.ts'

/** A mean over a row is the same without those whose value is null; a count or a sum over it may not be. */
export const MEANS: readonly CollectedMeasure['kind'][] = [
  'avg',
  'var_samp',
  'var_pop',
  'stddev_samp',
  'stddev_pop',
]

/**
 * Rows that show means, and nothing of those who have no value, as rows of those who have one: `avg(height)` is then
 * guarded as it would be with `where height is not null`, which is the same mean. Nothing is told of the set that the
 * row had before, so nothing can be taken away from it. Rows of which too few have a value stay as they are, because
 * whether there is one is told by them. Done twice it changes nothing more.
 */
export function rowsOfMeans(
  groups: readonly CollectedGroup[],
  { minimumGroup }: Pick<GuardSettings, 'minimumGroup'>,
): readonly CollectedGroup[] {
  return groups.map((group) => {
    const having = havingValues(group)
    return having && having.count() >= minimumGroup ? rowOf(group, having) : group
  })
}

/** Everybody who has one of the values that a row of means shows; undefined where the row shows others as well. */
export function havingValues({ people, measures }: CollectedGroup): Bitset | undefined {
  if (!measures.some(({ kind }) => MEANS.includes(kind))) return undefined
  const sets = new Set(measures.flatMap(setsOfMeasure))
  if (sets.has(people)) return undefined
  const [largest, ...others] = [...sets].toSorted((one, other) => other.count() - one.count())
  if (!largest || largest.count() === people.count()) return undefined
  const having = others.every((set) => set.intersectionCount(largest) === set.count())
    ? largest
    : unionOf([...sets])
  return having.count() === people.count() ? undefined : having
}

function rowOf(group: CollectedGroup, people: Bitset): CollectedGroup {
  const size = people.count()
  // Within the row, a set of as many is the row: later passes see that at once.
  const asRow = (set: Bitset): Bitset => (set.count() === size ? people : set)
  return {
    ...group,
    people,
    measures: group.measures.map((measure) => ({
      ...measure,
      people: asRow(measure.people),
      ...(measure.counted ? { counted: asRow(measure.counted) } : {}),
    })),
  }
}
