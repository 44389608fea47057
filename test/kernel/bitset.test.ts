import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import fc from 'fast-check'
import { Bitset } from '../../src/kernel/bitset.ts'

const members = fc.uniqueArray(fc.nat(2_000), { maxLength: 200 })

test('a set agrees with a plain one, through changes and whatever was counted before', () => {
  const change = fc.tuple(fc.constantFrom('add', 'delete', 'addAll'), members)
  fc.assert(
    fc.property(members, fc.array(change, { maxLength: 8 }), (start, changes) => {
      const set = Bitset.of(start)
      const plain = new Set(start)
      for (const [kind, list] of changes) {
        // Counting between changes: what is kept for the next count must be forgotten on a change.
        assert.equal(set.count(), plain.size)
        if (kind === 'addAll') set.addAll(Bitset.of(list))
        for (const member of list) {
          if (kind === 'add') set.add(member)
          if (kind === 'delete') set.delete(member)
          if (kind === 'delete') plain.delete(member)
          else plain.add(member)
        }
      }
      assert.deepEqual(
        [...set],
        [...plain].toSorted((left, right) => left - right),
      )
      assert.equal(set.count(), plain.size)
      assert.equal(set.isEmpty, plain.size === 0)
      assert.deepEqual([...Bitset.fromBytes(set.toBytes())], [...set])
    }),
  )
})

test('union, intersection and difference agree with plain sets', () => {
  fc.assert(
    fc.property(members, members, (ours, theirs) => {
      const [left, right] = [Bitset.of(ours), Bitset.of(theirs)]
      const [plainLeft, plainRight] = [new Set(ours), new Set(theirs)]
      assert.deepEqual(new Set(left.union(right)), plainLeft.union(plainRight))
      assert.deepEqual(new Set(left.intersection(right)), plainLeft.intersection(plainRight))
      assert.deepEqual(new Set(left.difference(right)), plainLeft.difference(plainRight))
      assert.equal(left.intersectionCount(right), plainLeft.intersection(plainRight).size)
      assert.equal(left.union(right).count(), plainLeft.union(plainRight).size)
      assert.deepEqual(
        [...left],
        ours.toSorted((a, b) => a - b),
      )
    }),
  )
})

test('occupiedWords() are the places that are not 0', () => {
  assert.deepEqual([...Bitset.of([0, 31, 64, 1_000]).occupiedWords()], [0, 2, 31])
  assert.deepEqual([...new Bitset(1_000).occupiedWords()], [])
})
