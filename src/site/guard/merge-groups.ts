import { Bitset, countBits } from '../../kernel/bitset.ts'
import type { CollectedGroup, CollectedMeasure } from './collected-group.ts'

/**
 * Several groups as one, with null keys: sets united, counts and sums added. The largest share of the whole is the
 * largest of the parts when nobody stands in two of them; else their shares are added, which can only be too much.
 */
export function mergeGroups(groups: readonly CollectedGroup[]): CollectedGroup {
  const people = unionOf(groups.map((group) => group.people))
  const isDisjoint = people.count() === groups.reduce((total, group) => total + group.people.count(), 0)
  const first = groups[0]
  return {
    keys: (first?.keys ?? []).map(() => null),
    people,
    measures: (first?.measures ?? []).map((_, index) =>
      mergeMeasures(measuresAt(groups, index), { people, isDisjoint }),
    ),
  }
}

/** Whether somebody stands in more than one of the groups: then the keys are of rows, not of people. */
export function haveSharedPeople(groups: readonly CollectedGroup[]): boolean {
  return countShared(groups, 1) > 0
}

/** How many people stand in more than one of the groups; no further than to where they are enough. */
export function countShared(groups: readonly CollectedGroup[], enough: number): number {
  const wordCount = groups.reduce((most, { people }) => Math.max(most, people.capacity), 0) / 32
  const seen = new Uint32Array(wordCount)
  const shared = new Uint32Array(wordCount)
  let count = 0
  for (const { people } of groups) {
    const { places, words } = people.packed()
    for (let at = 0; at < places.length; at += 1) {
      const place = places[at] ?? 0
      const before = seen[place] ?? 0
      const word = words[at] ?? 0
      const both = before & word
      if (both !== 0) {
        count += countBits(both & ~(shared[place] ?? 0))
        if (count >= enough) return count
        shared[place] = (shared[place] ?? 0) | both
      }
      seen[place] = before | word
    }
  }
  return count
}

/** The union of any number of sets. */
export function unionOf(sets: readonly Bitset[]): Bitset {
  const union = new Bitset()
  for (const set of sets) union.addAll(set)
  return union
}

interface Whole {
  readonly people: Bitset
  readonly isDisjoint: boolean
}

function measuresAt(
  groups: readonly CollectedGroup[],
  index: number,
): readonly { measure: CollectedMeasure; group: CollectedGroup }[] {
  return groups.flatMap((group) => {
    const measure = group.measures[index]
    return measure ? [{ measure, group }] : []
  })
}

function mergeMeasures(parts: ReturnType<typeof measuresAt>, whole: Whole): CollectedMeasure {
  const measures = parts.map(({ measure }) => measure)
  const total = (part: (measure: CollectedMeasure) => number) =>
    measures.reduce((sum, measure) => sum + part(measure), 0)
  const unite = (setOf: (measure: CollectedMeasure) => Bitset): Bitset => {
    // Usually a measure is over everybody in its row, and then the union is already there.
    const isOverAll = parts.every(({ measure, group }) => setOf(measure) === group.people)
    return isOverAll ? whole.people : unionOf(measures.map(setOf))
  }
  const largest = (part: (measure: CollectedMeasure) => number, sum: number) =>
    whole.isDisjoint
      ? measures.reduce((most, measure) => Math.max(most, part(measure)), 0)
      : Math.min(sum, total(part))
  const absoluteSum = total((measure) => measure.absoluteSum)
  const sumOfSquares = total((measure) => measure.sumOfSquares)
  const hasSquares = measures.some(({ largestSquares }) => largestSquares !== undefined)
  const [first] = measures
  return {
    kind: first?.kind ?? 'people',
    count: total((measure) => measure.count),
    sum: total((measure) => measure.sum),
    sumOfSquares,
    people: unite(({ people }) => people),
    ...(measures.some(({ counted }) => counted)
      ? { counted: unite(({ people, counted }) => counted ?? people) }
      : {}),
    largestShare: largest((measure) => measure.largestShare, absoluteSum),
    absoluteSum,
    ...(hasSquares
      ? { largestSquares: largest((measure) => measure.largestSquares ?? 0, sumOfSquares) }
      : {}),
    ...(first?.margins ? { margins: first.margins } : {}),
  }
}
