import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import fc from 'fast-check'
import { Bitset } from '../../src/kernel/bitset.ts'
import { Households } from '../../src/site/vault/households.ts'
import { NOBODY } from '../../src/site/vault/vault.ts'

/** People 0 to 7 and households above, nobody in more than `setsMax` sets of people, themselves alone counted. */
const PEOPLE = 8

function worlds(setsMax: number) {
  const members = fc.uniqueArray(fc.nat(PEOPLE - 1), { minLength: 2, maxLength: 3 })
  return fc.array(members, { maxLength: 10 }).map((wished) => {
    const sets = new Map<number, number>()
    const made = new Map<number, readonly number[]>()
    for (const people of wished) {
      if (people.some((person) => (sets.get(person) ?? 1) >= setsMax)) continue
      for (const person of people) sets.set(person, (sets.get(person) ?? 1) + 1)
      made.set(PEOPLE + made.size, people)
    }
    return made
  })
}

test('rows may be used exactly when everybody whom they are about may be', () => {
  fc.assert(
    fc.property(
      worlds(3),
      fc.uniqueArray(fc.nat(PEOPLE - 1)),
      fc.option(fc.nat(PEOPLE - 1)),
      (made, allowed, gone) => {
        const places = new Map(
          [...made].map(([household, people]) => [
            household,
            people.map((one) => (one === gone ? NOBODY : one)),
          ]),
        )
        const households = new Households(places)
        const numbers = Bitset.of([...Array(PEOPLE).keys(), ...made.keys()])
        const may = new Set(allowed)
        const expected = [
          ...allowed,
          ...[...made].flatMap(([household, people]) =>
            people.every((person) => may.has(person) && person !== gone) ? [household] : [],
          ),
        ]
        const found = households.allowedBy(Bitset.of(allowed), numbers)
        if (made.size > 0)
          assert.deepEqual(
            [...found],
            expected.toSorted((one, two) => one - two),
          )
        const about = new Set([...found].flatMap((number) => made.get(number) ?? [number]))
        if (made.size > 0) assert.deepEqual(new Set(households.peopleOf(found)), about)
      },
    ),
  )
})

test('no fewer than k people are in all of k times as many sets as one person can be in', () => {
  const [setsMax, k] = [2, 3]
  fc.assert(
    fc.property(worlds(setsMax), fc.infiniteStream(fc.nat()), (made, chosen) => {
      const numbers = [...Array(PEOPLE).keys(), ...made.keys()].map((number) => made.get(number) ?? [number])
      const picked = numbers
        .map((people) => ({ people, rank: chosen.next().value ?? 0 }))
        .toSorted((one, two) => one.rank - two.rank)
        .slice(0, k * setsMax)
        .map(({ people }) => people)
      for (let first = 0; first < PEOPLE; first += 1)
        for (let second = 0; second < PEOPLE; second += 1)
          assert.ok(
            picked.some((people) => !people.includes(first) && !people.includes(second)),
            'two people would know, or be, all of it',
          )
    }),
  )
})
