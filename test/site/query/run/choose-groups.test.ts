import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import fc from 'fast-check'
import { chooseGroups } from '../../../../src/site/query/run/choose-groups.ts'
import type { Seed } from '../../../../src/site/query/run/choose-groups.ts'
import { seededBytes } from '../../../../src/testing/seeded-bytes.ts'

interface Standing {
  /** By group, its people. */
  readonly people: readonly (readonly number[])[]
  readonly seeds: readonly Seed[]
  readonly groupsMax: number
}

const PEOPLE = 12

/** Of each person the seeds of the groups that are chosen. */
function chosenBy({ people, seeds, groupsMax }: Standing): readonly (readonly string[])[] {
  const groupsOf = new Int32Array(PEOPLE)
  for (const person of people.flat()) groupsOf[person] = (groupsOf[person] ?? 0) + 1
  const everybody = people.map((numbers) => Int32Array.from(numbers))
  const isChosen = chooseGroups(everybody, { groupsOf, groupsMax, seeds })
  return Array.from({ length: PEOPLE }, (_, person) =>
    people.flatMap((numbers, group) =>
      numbers.includes(person) && isChosen(person, group) ? [String(seeds[group])] : [],
    ),
  )
}

const standing: fc.Arbitrary<Standing> = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(0, 1, 2 ** 31)), {
    minLength: 1,
    maxLength: 8,
    selector: String,
  })
  .chain((seeds) =>
    fc.record({
      seeds: fc.constant(seeds),
      groupsMax: fc.integer({ min: 1, max: 4 }),
      people: fc.array(fc.uniqueArray(fc.integer({ min: 0, max: PEOPLE - 1 })), {
        minLength: seeds.length,
        maxLength: seeds.length,
      }),
    }),
  )

test('chooseGroups() chooses as many groups of a person as count, or all', () => {
  fc.assert(
    fc.property(standing, (given) => {
      for (const [person, chosen] of chosenBy(given).entries()) {
        const count = given.people.filter((numbers) => numbers.includes(person)).length
        assert.equal(chosen.length, Math.min(count, given.groupsMax))
      }
    }),
  )
})

test('chooseGroups() chooses the same for a person whoever else there is, and in whatever order groups come', () => {
  fc.assert(
    fc.property(standing, fc.integer({ min: 0, max: PEOPLE - 1 }), (given, gone) => {
      const before = chosenBy(given)
      // Groups of which that person was the only one are not there any more.
      const left = given.people
        .map((numbers, group) => ({ numbers: numbers.filter((person) => person !== gone), group }))
        .filter(({ numbers }) => numbers.length > 0)
        .toReversed()
      const after = chosenBy({
        ...given,
        people: left.map(({ numbers }) => numbers),
        seeds: left.map(({ group }) => given.seeds[group] ?? [0, 0]),
      })
      for (const [person, chosen] of before.entries())
        if (person !== gone) assert.deepEqual((after[person] ?? []).toSorted(), chosen.toSorted())
    }),
  )
})

test('chooseGroups() prefers no group, and chooses for one person as if it had not chosen for another', () => {
  const random = seededBytes('choose groups')
  const [people, groups, groupsMax] = [20_000, 5, 2]
  const seeds = Array.from({ length: groups }, (): Seed => {
    const view = new DataView(Uint8Array.from(random.bytes(8)).buffer)
    return [view.getUint32(0), view.getUint32(4)]
  })
  const everybody = Int32Array.from({ length: people }, (_, person) => person)
  const isChosen = chooseGroups(
    seeds.map(() => everybody),
    { groupsOf: new Int32Array(people).fill(groups), groupsMax, seeds },
  )
  const pairs = new Map<string, number>()
  for (let person = 0; person < people; person += 1) {
    const chosen = seeds.keys().filter((group) => isChosen(person, group))
    const name = chosen.toArray().join()
    pairs.set(name, (pairs.get(name) ?? 0) + 1)
  }
  // Ten pairs of five groups, each as likely: chi-squared of nine degrees is above 33.7 once in ten thousand times.
  const expected = people / 10
  assert.equal(pairs.size, 10)
  const chiSquared = pairs.values().reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  assert.ok(chiSquared < 33.7, `${chiSquared}`)
  // Neighbours by number choose alike as often as any two do: once in ten times.
  let alike = 0
  for (let person = 1; person < people; person += 1)
    if (seeds.every((_, group) => isChosen(person, group) === isChosen(person - 1, group))) alike += 1
  assert.ok(Math.abs(alike / people - 0.1) < 0.01, `${alike}`)
})
