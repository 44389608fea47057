import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Bitset } from '../../src/kernel/bitset.ts'

const members = fc.array(fc.oneof(fc.nat(70), fc.nat(5_000)), { maxLength: 80 })
const sorted = (set: Iterable<number>) => [...set].toSorted((left, right) => left - right)

describe('Bitset against a Set', () => {
  test('members, count, emptiness, order and bytes', () => {
    fc.assert(
      fc.property(members, (list) => {
        const expected = new Set(list)
        const set = Bitset.of(list)
        const visited: number[] = []
        Bitset.of(list).forEach((member) => visited.push(member))
        assert.deepEqual(visited, [...Bitset.of(list)])
        assert.deepEqual([...set], sorted(expected))
        assert.equal(set.count(), expected.size)
        assert.equal(set.isEmpty, expected.size === 0)
        assert.deepEqual([...Bitset.fromBytes(set.toBytes())], sorted(expected))
        for (let number = 0; number < 80; number += 1) assert.equal(set.has(number), expected.has(number))
      }),
    )
  })

  test('union, intersection, difference, also in place', () => {
    fc.assert(
      fc.property(members, members, (one, two) => {
        const [left, right] = [Bitset.of(one), Bitset.of(two)]
        const [a, b] = [new Set(one), new Set(two)]
        assert.deepEqual([...left.union(right)], sorted(a.union(b)))
        assert.deepEqual([...left.intersection(right)], sorted(a.intersection(b)))
        assert.deepEqual([...left.difference(right)], sorted(a.difference(b)))
        assert.equal(left.intersectionCount(right), a.intersection(b).size)
        assert.deepEqual([...left], sorted(a), 'the operands stay as they were')
        const grown = left.clone()
        grown.addAll(right)
        assert.deepEqual([...grown], sorted(a.union(b)))
        assert.deepEqual([...left], sorted(a), 'a clone is a set of its own')
      }),
    )
  })

  test('adding and deleting in any order', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(200)), { maxLength: 100 })
    fc.assert(
      fc.property(steps, (list) => {
        const [set, expected] = [new Bitset(), new Set<number>()]
        for (const [isAdding, number] of list) {
          if (isAdding) {
            set.add(number)
            expected.add(number)
          } else {
            set.delete(number)
            expected.delete(number)
          }
        }
        assert.deepEqual([...set], sorted(expected))
      }),
    )
  })

  test('equal sets give equal bytes, whatever they were made from', () => {
    const grown = Bitset.of([3, 100_000])
    grown.delete(100_000)
    assert.deepEqual(grown.toBytes(), Bitset.of([3]).toBytes())
  })

  for (const number of [-1, 1.5, Number.NaN, 2 ** 32, 2 ** 32 + 5]) {
    test(`${number} is never a member`, () => {
      const set = Bitset.of([0, 1, 5])
      assert.throws(() => set.add(number), RangeError)
      set.delete(number)
      assert.equal(set.has(number), false)
      assert.deepEqual([...set], [0, 1, 5])
    })
  }
})

describe('What a Bitset keeps between changes', () => {
  test('the count and the packed words are those after the last change', () => {
    const change = fc.tuple(fc.constantFrom('add', 'delete', 'addAll'), members)
    fc.assert(
      fc.property(members, fc.array(change, { maxLength: 8 }), (start, changes) => {
        const set = Bitset.of(start)
        const plain = new Set(start)
        for (const [kind, list] of changes) {
          assert.equal(set.count(), plain.size)
          if (kind === 'addAll') set.addAll(Bitset.of(list))
          for (const member of list) {
            if (kind === 'add') set.add(member)
            if (kind === 'delete') set.delete(member)
            if (kind === 'delete') plain.delete(member)
            else plain.add(member)
          }
        }
        assert.equal(set.count(), plain.size)
        const { places, words } = set.packed()
        const all = set.words()
        assert.deepEqual(
          [...places],
          [...all.keys()].filter((place) => all[place] !== 0),
        )
        assert.deepEqual(
          [...words],
          [...all].filter((word) => word !== 0),
        )
      }),
    )
  })
})
