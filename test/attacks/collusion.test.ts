import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import fc from 'fast-check'
import { Bitset } from '../../src/kernel/bitset.ts'
import { partitionAfter } from '../../src/site/guard/differencing.ts'
import { NOTHING_KNOWN } from '../../src/site/guard/known-columns.ts'
import { mergePartitions } from '../../src/site/guard/merge-partitions.ts'
import { groupOf, History, range, shown } from '../site/guard/released-history.ts'
import { RowSpace } from '../site/guard/row-space.ts'

/*
 * Two acquirers put together what they got. Once that is declared, what they get is guarded as if one had got all of
 * it; where they know too much already, they get nothing more.
 */

const k = 10
const PEOPLE = 160
const everybody = range(0, PEOPLE)

function pair(): readonly [History, History] {
  const first = new History({ personCount: PEOPLE, minimumGroup: k })
  return [first, new History({ personCount: PEOPLE, minimumGroup: k, beside: first })]
}

function total(acquirer: History, people: Bitset) {
  return acquirer.ask({ eligible: everybody, groups: [groupOf('all', people)] }).reason
}

/** Makes one acquirer of two: the first has what both had. */
function join(first: History, second: History, changes: readonly Bitset[] = []): void {
  const plan = mergePartitions({ into: first.partition, from: second.partition, changes, minimumGroup: k })
  first.partition = partitionAfter(plan)
  first.vectors.push(...second.vectors)
}

test('an answer to one of them that takes one person off an answer to the other is refused to the group', () => {
  const [first, second] = pair()
  assert.equal(total(first, range(0, 100)), 'approved')
  join(first, second)
  assert.equal(total(first, range(0, 99)), 'declined.differencing')
  const [third, fourth] = pair()
  assert.equal(total(third, range(0, 100)), 'approved')
  assert.equal(total(fourth, range(50, 150)), 'approved')
  join(third, fourth)
  assert.equal(total(third, range(51, 150)), 'declined.differencing')
  assert.equal(total(third, range(50, 100)), 'approved')
})

test('two who know too much together already get nothing more, not even what one of them had', () => {
  const [first, second] = pair()
  assert.equal(total(first, range(0, 100)), 'approved')
  assert.equal(total(second, range(0, 99)), 'approved')
  join(first, second)
  const { reason, note } = first.ask({ eligible: everybody, groups: [groupOf('all', range(0, 100))] })
  assert.deepEqual([reason, note], ['declined.differencing', 'closed'])
  assert.equal(total(first, range(120, 150)), 'declined.differencing')
  assert.equal(first.releaseRows(range(120, 150)), false)
})

test('two who had answers over the same people before and after one of them changed know too much', () => {
  const [first, second] = pair()
  assert.equal(total(first, everybody), 'approved')
  const changed = Bitset.of([5])
  first.change(changed, [second])
  assert.equal(total(second, everybody), 'approved')
  join(first, second, [changed])
  const { note } = first.ask({ eligible: everybody, groups: [groupOf('all', range(20, PEOPLE))] })
  assert.equal(note, 'closed')
})

test('of whom one of them had rows from before columns were kept, the group may know any column', () => {
  for (const isFirst of [true, false]) {
    const [first, second] = pair()
    for (const acquirer of [first, second])
      assert.equal(acquirer.releaseRows(range(0, 40), [shown('y')]), true)
    const old = isFirst ? first : second
    old.partition = { ...old.partition, known: NOTHING_KNOWN }
    join(first, second)
    assert.equal(total(first, range(0, 40)), 'declined.differencing')
    // It stays so when the group becomes part of another, in which their columns are kept.
    const [third] = pair()
    assert.equal(third.releaseRows(range(0, 40), [shown('y')]), true)
    join(third, first)
    assert.equal(total(third, range(0, 40)), 'declined.differencing')
    assert.equal(total(third, range(0, 40 + k)), 'approved')
  }
})

test('what one of them was told by stricter terms stays as coarse for both', () => {
  for (const few of [k, 3 * k]) {
    const [first, second] = pair()
    const groups = [groupOf('all', range(0, 100))]
    assert.equal(second.ask({ eligible: everybody, groups, minimumGroup: 3 * k }).reason, 'approved')
    assert.equal(total(first, range(0, few)), 'approved')
    join(first, second)
    const rest = { eligible: everybody, groups: [groupOf('all', range(few, 100))] }
    // Fewer are known already by the laxer terms: nothing stricter comes beside them, and nothing else.
    assert.equal(first.ask({ ...rest, minimumGroup: 3 * k }).note, few === k ? 'closed' : undefined)
    assert.equal(total(first, range(3 * k, 4 * k)), 'declined.differencing')
  }
})

test('what was told by stricter terms of others makes nobody stricter, in whichever order it was told', () => {
  const answers = [
    { people: range(0, k), minimumGroup: k },
    { people: range(k, 100), minimumGroup: 3 * k },
  ]
  for (const ordered of [answers, answers.toReversed()]) {
    const [first, second] = pair()
    assert.equal(total(first, range(0, 100)), 'approved')
    for (const { people, minimumGroup } of ordered) {
      const groups = [groupOf('all', people)]
      assert.equal(second.ask({ eligible: everybody, groups, minimumGroup }).reason, 'approved')
    }
    join(first, second)
    assert.equal(total(first, range(0, k)), 'approved')
    assert.equal(total(first, range(k, 2 * k)), 'declined.differencing')
    assert.equal(total(first, range(k, 4 * k)), 'approved')
  }
})

test('one who had no answer adds nothing to be set against: neither changes nor people who were in none close a group', () => {
  for (const areBothAnswered of [false, true]) {
    const [first, second] = pair()
    assert.equal(total(first, range(0, 100)), 'approved')
    if (areBothAnswered) assert.equal(total(second, range(50, 100)), 'approved')
    const changed = Bitset.of([areBothAnswered ? 120 : 5])
    first.change(changed, [second])
    join(first, second, [changed])
    assert.equal(total(first, range(20, 100)), 'approved')
  }
})

test('rows that one of them has count against the sums of both, those from before and those to come', () => {
  const [first, second] = pair()
  assert.equal(total(first, range(0, 20)), 'approved')
  assert.equal(second.releaseRows(range(0, 15)), true)
  join(first, second)
  assert.equal(first.ask({ eligible: everybody, groups: [groupOf('all', range(40, 90))] }).note, 'closed')
  const [third, fourth] = pair()
  assert.equal(fourth.releaseRows(range(0, 15)), true)
  join(third, fourth)
  assert.equal(total(third, range(0, 20)), 'declined.differencing')
  assert.equal(total(third, range(0, 15 + k)), 'approved')
})

test('whose rows both have are known once, and do not close a group that has people enough besides', () => {
  const [first, second] = pair()
  for (const acquirer of [first, second]) {
    assert.equal(total(acquirer, range(0, 15 + k)), 'approved')
    assert.equal(acquirer.releaseRows(range(0, 15)), true)
  }
  join(first, second)
  assert.equal(total(first, range(0, 15 + k)), 'approved')
  assert.equal(first.releaseRows(range(15, 20)), false)
})

test('a change of rows since an answer to one is still to be cut by when another, who had none, is joined', () => {
  const [first, second] = pair()
  assert.equal(total(second, everybody), 'approved')
  const changed = Bitset.of([5])
  second.change(changed, [first])
  join(first, second, [changed])
  const { note } = first.ask({ eligible: everybody, groups: [groupOf('all', everybody)] })
  assert.equal(note, 'drift')
  assert.equal(total(first, range(100, 150)), 'approved')
})

test('two who had different rows of the same people get nothing more', () => {
  const [first, second] = pair()
  const ask = (acquirer: History, shape: string, people: Bitset) =>
    acquirer.ask({
      eligible: everybody,
      groups: [groupOf('all', people)],
      rowShapes: new Map([['minutes', shape]]),
    })
  assert.equal(ask(first, 'all rows', everybody).reason, 'approved')
  assert.equal(ask(second, 'all rows but one day', everybody).reason, 'approved')
  join(first, second)
  assert.equal(ask(first, 'all rows', range(0, 50)).note, 'closed')
})

const set = fc
  .record({
    from: fc.nat(7),
    length: fc.integer({ min: 1, max: 8 }),
    off: fc.constantFrom(0, 0, 0, 0, 0, 1, 10),
  })
  .map(({ from, length, off }) => range(from * 20 + off, Math.min(PEOPLE, (from + length) * 20)))
const act = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ act: fc.constant('ask' as const), isFirst: fc.boolean(), people: set }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('change' as const), people: set }) },
)

test('no two histories that are made one tell anything about fewer people than the minimum group afterwards', () => {
  const told = { open: 0, closed: 0, later: 0, tooMuch: 0 }
  const acts = fc.array(act, { minLength: 2, maxLength: 24 })
  fc.assert(
    fc.property(acts, fc.array(set, { minLength: 10, maxLength: 30 }), (before, after) => {
      const [first, second] = pair()
      const changes: Bitset[] = []
      for (const one of before) {
        if (one.act === 'change') {
          first.change(one.people, [second])
          changes.push(one.people)
        } else total(one.isFirst ? first : second, one.people)
      }
      join(first, second, changes)
      const isClosed =
        first.ask({ eligible: everybody, groups: [groupOf('all', everybody)] }).note === 'closed'
      const known = first.vectors.length
      for (const people of after) if (total(first, people) === 'approved') told.later += 1
      const space = new RowSpace(first.vectors, first.unitCount)
      const smallest = Math.min(
        ...space.supports().map((units) => new Set(units.map((unit) => first.personOf(unit))).size),
      )
      told[isClosed ? 'closed' : 'open'] += 1
      if (isClosed && smallest < k) told.tooMuch += 1
      if (isClosed) assert.equal(first.vectors.length, known)
      else assert.ok(smallest >= k, `something is about ${smallest}`)
    }),
    { numRuns: 300 },
  )
  // Both ways of it were met, and those that were closed were not closed for nothing.
  assert.ok(told.open > 30 && told.closed > 30 && told.later > 200 && told.tooMuch > 5, JSON.stringify(told))
})
