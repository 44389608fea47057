import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { instant } from '../../../src/kernel/clock.ts'
import { PeopleUnderTerms } from '../../../src/site/consent/people-under-terms.ts'
import type { PersonInterval } from '../../../src/site/consent/people-under-terms.ts'

function peopleAt(people: PeopleUnderTerms, now: number): readonly [members: number[], before: number] {
  const into = new Bitset()
  const before = people.collect(into, instant(now))
  return [[...into], before]
}

test('a grant begins and ends at its very moment, with nothing done in between, and back again', () => {
  const people = new PeopleUnderTerms()
  people.add({ person: 7, from: 100, until: 200, isStanding: false })
  people.add({ person: 3, from: 0, until: Infinity, isStanding: true })
  assert.deepEqual(peopleAt(people, 99), [[3], 100])
  assert.deepEqual(peopleAt(people, 100), [[3, 7], 200])
  assert.deepEqual(peopleAt(people, 199), [[3, 7], 200])
  assert.deepEqual(peopleAt(people, 200), [[3], Infinity])
  assert.deepEqual(peopleAt(people, 150), [[3, 7], 200])
  assert.deepEqual(peopleAt(people, 99), [[3], 100])
})

test('two equal grants of one person need two revocations', () => {
  for (const isStanding of [true, false]) {
    const grant = { person: 5, from: 10, until: isStanding ? Infinity : 90, isStanding }
    const people = new PeopleUnderTerms()
    people.add(grant)
    people.add(grant)
    people.remove([grant])
    assert.deepEqual(peopleAt(people, 50)[0], [5])
    people.remove([grant])
    assert.deepEqual(peopleAt(people, 50)[0], [])
    people.remove([grant])
    people.add(grant)
    assert.deepEqual(peopleAt(people, 50)[0], [5])
  }
})

test('many people are the same set as few', () => {
  const people = new PeopleUnderTerms()
  const all = Array.from({ length: 5_000 }, (_, index) => ({
    person: index * 3,
    from: 0,
    until: Infinity,
    isStanding: true,
  }))
  for (const grant of all) people.add(grant)
  people.remove(all.slice(0, 2_500))
  assert.deepEqual(
    peopleAt(people, 1)[0],
    all.slice(2_500).map(({ person }) => person),
  )
})

test('at any moment it holds who a naive list holds, and names the next moment of change', () => {
  const moment = fc.integer({ min: 0, max: 30 })
  const grant: fc.Arbitrary<PersonInterval> = fc
    .tuple(fc.integer({ min: 0, max: 8 }), moment, fc.option(moment), fc.boolean())
    .map(([person, from, length, isStanding]) => ({
      person,
      from: isStanding ? 0 : from,
      until: length === null || isStanding ? Infinity : from + length + 1,
      isStanding,
    }))
  const step = fc.oneof(
    fc.record({ add: grant }),
    fc.record({ remove: fc.array(fc.nat(20), { maxLength: 3 }) }),
    fc.record({ at: moment }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const people = new PeopleUnderTerms()
      const naive: PersonInterval[] = []
      const heldAt = (now: number) =>
        [
          ...new Set(
            naive.filter(({ from, until }) => from <= now && now < until).map(({ person }) => person),
          ),
        ].toSorted((a, b) => a - b)
      for (const one of steps) {
        if ('add' in one) {
          people.add(one.add)
          naive.push(one.add)
        } else if ('remove' in one) {
          const gone = [...new Set(one.remove)].flatMap((index) => naive[index] ?? [])
          people.remove(gone)
          for (const grant_ of gone) naive.splice(naive.indexOf(grant_), 1)
        } else {
          const [members, before] = peopleAt(people, one.at)
          assert.deepEqual(members, heldAt(one.at))
          for (let later = one.at; later < Math.min(before, 70); later += 1)
            assert.deepEqual(heldAt(later), members)
        }
      }
    }),
  )
})
