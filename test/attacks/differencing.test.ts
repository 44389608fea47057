import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import fc from 'fast-check'
import { Bitset } from '../../src/kernel/bitset.ts'
import type { CollectedGroup } from '../../src/site/guard/collected-group.ts'
import { admitNewcomers } from '../../src/site/guard/differencing.ts'
import { groupOf, History, range, sumOver, shown, SUMMED } from '../site/guard/released-history.ts'
import { RowSpace } from '../site/guard/row-space.ts'

const k = 10
const everybody = range(0, 200)

function history(): History {
  return new History({ personCount: 400, minimumGroup: k })
}

/** Asks for one sum over some of the eligible people. */
function total(acquirer: History, people: Bitset, eligible = everybody) {
  return acquirer.ask({ eligible, groups: [groupOf('all', people)] })
}

test('a difference pair: everybody, then everybody but one, is refused', () => {
  const acquirer = history()
  assert.equal(total(acquirer, everybody).reason, 'approved')
  assert.deepEqual(total(acquirer, everybody.difference(Bitset.of([7]))), {
    reason: 'declined.differencing',
    note: 'cut',
    rows: 0,
  })
})

test('a difference pair the other way round is refused at its second half', () => {
  const acquirer = history()
  assert.equal(total(acquirer, everybody.difference(Bitset.of([7]))).reason, 'approved')
  assert.equal(total(acquirer, everybody).reason, 'declined.differencing')
})

test('who was left out comes in once they are the minimum group, one fewer may not', () => {
  for (const [leftOut, reason] of [
    [k, 'approved'],
    [k - 1, 'declined.differencing'],
  ] as const) {
    const acquirer = history()
    assert.equal(total(acquirer, range(leftOut, 200)).reason, 'approved')
    assert.equal(total(acquirer, everybody).reason, reason)
  }
})

test('a tracker: two large sets that overlap in too few are refused', () => {
  const acquirer = history()
  assert.equal(total(acquirer, range(0, 100)).reason, 'approved')
  assert.equal(total(acquirer, range(99, 200)).reason, 'declined.differencing')
  assert.equal(total(acquirer, range(100 - k, 200)).reason, 'approved')
})

test('a chain of overlapping filters that moves on by one person is refused at every step', () => {
  const acquirer = history()
  assert.equal(total(acquirer, range(0, 100)).reason, 'approved')
  for (let step = 1; step < k; step += 1)
    assert.equal(total(acquirer, range(step, 100 + step)).reason, 'declined.differencing')
  assert.equal(total(acquirer, range(k, 100 + k)).reason, 'approved')
})

test('unions: sets that differ from each other by many, but together isolate one, are refused', () => {
  const acquirer = history()
  // {0..59}, {60..119} and {0..119 without 5} + {120..179}: the third minus the fourth below leaves person 5.
  assert.equal(total(acquirer, range(0, 60)).reason, 'approved')
  assert.equal(total(acquirer, range(60, 120)).reason, 'approved')
  assert.equal(total(acquirer, range(120, 180)).reason, 'approved')
  const union = range(0, 180).difference(Bitset.of([5]))
  assert.equal(total(acquirer, union).reason, 'declined.differencing')
})

test('an equal ask is answered again and cuts nothing', () => {
  const acquirer = history()
  assert.equal(total(acquirer, range(0, 100)).reason, 'approved')
  const { head } = acquirer.partition
  assert.equal(total(acquirer, range(0, 100)).reason, 'approved')
  assert.equal(acquirer.partition.head, head)
})

test('an equal ask after a withdrawal is refused as drift until a minimum group has left', () => {
  const acquirer = history()
  assert.equal(total(acquirer, everybody).reason, 'approved')
  for (let left = 1; left < k; left += 1) {
    const rest = range(left, 200)
    assert.deepEqual(total(acquirer, rest, rest), { reason: 'declined.differencing', note: 'drift', rows: 0 })
  }
  assert.equal(total(acquirer, range(k, 200), range(k, 200)).reason, 'approved')
})

test('an equal ask after too few have joined is refused as drift', () => {
  const acquirer = history()
  assert.equal(total(acquirer, everybody).reason, 'approved')
  assert.equal(total(acquirer, range(0, 201), range(0, 201)).note, 'drift')
  assert.equal(total(acquirer, range(0, 200 + k), range(0, 200 + k)).reason, 'approved')
})

test('the total minus what is shown does not tell a suppressed group', () => {
  const acquirer = history()
  const groups = [groupOf('a', range(0, 100)), groupOf('b', range(100, 197)), groupOf('c', range(197, 200))]
  // The three of "c" are in no row; nothing with them in it can be had beside these two rows.
  assert.deepEqual(acquirer.ask({ eligible: everybody, groups }), { reason: 'approved', rows: 2 })
  assert.equal(total(acquirer, everybody).reason, 'declined.differencing')
  assert.equal(total(acquirer, range(0, 197)).reason, 'approved')
})

test('a suppressed group is not what is missing from a total that was shown before', () => {
  const acquirer = history()
  const groups = [groupOf('a', range(0, 100)), groupOf('b', range(100, 197)), groupOf('c', range(197, 200))]
  assert.equal(total(acquirer, everybody).reason, 'approved')
  // The three of "c" hide in the smallest row, so that only "a" is shown beside the remainder.
  assert.deepEqual(acquirer.ask({ eligible: everybody, groups }), { reason: 'approved', rows: 1 })
  assert.equal(total(acquirer, range(100, 197)).reason, 'declined.differencing')
})

test('what is shown later minus a group that was shown does not tell a suppressed one', () => {
  const acquirer = history()
  const groups = [groupOf('a', range(0, 180)), groupOf('b', range(180, 189)), groupOf('c', range(189, 200))]
  // "b" is too small for a row and alone in the remainder, so it is in nothing, and nothing with it comes later.
  assert.deepEqual(acquirer.ask({ eligible: everybody, groups }), { reason: 'approved', rows: 2 })
  assert.equal(total(acquirer, range(180, 200)).reason, 'declined.differencing')
  assert.equal(total(acquirer, everybody).reason, 'declined.differencing')
})

test('a measure that leaves out one person of its row is refused', () => {
  const acquirer = history()
  const groups = [groupOf('a', everybody, everybody.difference(Bitset.of([3])))]
  assert.equal(acquirer.ask({ eligible: everybody, groups }).reason, 'declined.group_too_small')
})

test('measures of two answers that differ by one person are refused', () => {
  const acquirer = history()
  assert.equal(
    acquirer.ask({ eligible: everybody, groups: [groupOf('a', everybody, range(0, 100))] }).reason,
    'approved',
  )
  assert.equal(
    acquirer.ask({ eligible: everybody, groups: [groupOf('a', everybody, range(0, 99))] }).reason,
    'declined.differencing',
  )
})

test('divisors of two averages that differ by one person are refused', () => {
  const acquirer = history()
  const average = (counted: Bitset) => {
    const measure = { ...sumOver(range(0, 50)), kind: 'avg' as const, counted }
    return acquirer.ask({
      eligible: everybody,
      groups: [{ keys: [], people: everybody, measures: [measure] }],
    })
  }
  assert.equal(average(range(0, 100)).reason, 'approved')
  assert.equal(average(range(0, 101)).reason, 'declined.differencing')
  assert.equal(average(range(0, 110)).reason, 'approved')
})

test('an answer over the same people with one row of one of them changed is refused as drift', () => {
  const acquirer = history()
  assert.equal(total(acquirer, everybody).reason, 'approved')
  acquirer.change(Bitset.of([11]))
  assert.equal(total(acquirer, everybody).note, 'drift')
  assert.equal(total(acquirer, range(100, 200)).reason, 'approved')
  acquirer.change(range(12, 12 + k))
  assert.equal(total(acquirer, everybody).reason, 'approved')
  // Whoever changes once more is alone again.
  acquirer.change(Bitset.of([13]))
  assert.equal(total(acquirer, everybody).note, 'drift')
})

test('the same value over other rows of the same people is refused', () => {
  const acquirer = history()
  const ask = (shape: string) =>
    acquirer.ask({
      eligible: everybody,
      groups: [groupOf('a', everybody)],
      rowShapes: new Map([['minutes', shape]]),
    })
  assert.equal(ask('all rows').reason, 'approved')
  assert.equal(ask('all rows').reason, 'approved')
  assert.equal(ask('all rows but one day').note, 'row_shape')
})

test('the first choice of rows is kept even where the answer cuts nothing', () => {
  const acquirer = history()
  assert.equal(total(acquirer, everybody).reason, 'approved')
  const ask = (shape: string) =>
    acquirer.ask({
      eligible: everybody,
      groups: [groupOf('a', everybody)],
      rowShapes: new Map([['minutes', shape]]),
    })
  assert.equal(ask('all rows').reason, 'approved')
  assert.equal(ask('all rows but one day').note, 'row_shape')
})

test('after somebody left, came or changed no row is dropped for it, which would say in which one they stand', () => {
  // Ten stand in two of them, so that there is no remainder that would show a change as well.
  const rows = [range(0, 60), range(50, 120), range(120, 200)]
  const groupsOf = (without: Bitset, more = new Bitset()) =>
    rows.map((people, index) =>
      groupOf(`${index}`, (index === 1 ? people.union(more) : people).difference(without)),
    )
  const waiting = { reason: 'declined.differencing', note: 'drift', rows: 0 }
  const [none, one, newcomer] = [new Bitset(), Bitset.of([65]), Bitset.of([200])]
  const asked = () => {
    const acquirer = history()
    assert.equal(acquirer.ask({ eligible: everybody, groups: groupsOf(none) }).rows, 3)
    return acquirer
  }
  assert.deepEqual(asked().ask({ eligible: everybody.difference(one), groups: groupsOf(one) }), waiting)
  assert.deepEqual(
    asked().ask({ eligible: everybody.union(newcomer), groups: groupsOf(none, newcomer) }),
    waiting,
  )
  const changed = asked()
  changed.change(one)
  assert.deepEqual(changed.ask({ eligible: everybody, groups: groupsOf(none) }), waiting)
})

test('rows of days on which people stand several times are not dropped to hide a small one: there is no remainder', () => {
  const acquirer = history()
  assert.equal(total(acquirer, everybody).reason, 'approved')
  const days = [
    groupOf('mon', range(0, 100)),
    groupOf('tue', range(50, 197)),
    groupOf('wed', range(197, 200)),
  ]
  assert.deepEqual(acquirer.ask({ eligible: everybody, groups: days }), {
    reason: 'declined.differencing',
    note: 'cut',
    rows: 0,
  })
})

test('a group that is small is no matter of its measures, and a row of which too few count is', () => {
  const small = groupOf('a', range(0, k - 1))
  const thin = groupOf('a', everybody, range(0, 3))
  const noted = (group: CollectedGroup) => history().ask({ eligible: everybody, groups: [group] })
  assert.deepEqual(noted(small), { reason: 'declined.group_too_small', rows: 0 })
  assert.deepEqual(noted(thin), { reason: 'declined.group_too_small', note: 'measure', rows: 0 })
})

test('newcomers wait until they are a minimum group, and before the first answer nobody is one', () => {
  const first = range(0, 5)
  assert.equal(admitNewcomers(history().partition, first, k), first)
  const acquirer = history()
  total(acquirer, range(0, 100))
  const admitted = (until: number) => admitNewcomers(acquirer.partition, range(0, until), k).count()
  assert.deepEqual(
    [admitted(100), admitted(101), admitted(100 + k - 1), admitted(100 + k)],
    [100, 100, 100, 100 + k],
  )
})

test('of people in an answer with a larger minimum group no smaller part is had by way of another answer', () => {
  const strict = (acquirer: History, people: Bitset) =>
    acquirer.ask({ eligible: everybody, groups: [groupOf('all', people)], minimumGroup: 3 * k }).reason
  const acquirer = history()
  assert.equal(strict(acquirer, range(0, 100)), 'approved')
  // Ten of them are enough for a number of people; a second sum over the ninety others would leave a sum over ten.
  assert.equal(total(acquirer, range(0, k)).reason, 'declined.differencing')
  assert.equal(acquirer.releaseRows(range(0, 100 - k)), false)
  assert.equal(total(acquirer, range(0, 3 * k)).reason, 'approved')
  assert.equal(strict(acquirer, range(3 * k, 100)), 'approved')
  // Of people in no such answer ten are enough, and then they are too few for one.
  assert.equal(total(acquirer, range(100, 100 + k)).reason, 'approved')
  assert.equal(strict(acquirer, range(100, 200)), 'declined.differencing')
  assert.equal(strict(acquirer, range(100 + k, 200)), 'approved')
})

test('an answer with a larger minimum group over the same people is no equal one: it is kept that they are in it', () => {
  const acquirer = history()
  assert.equal(total(acquirer, range(0, 100)).reason, 'approved')
  const { head } = acquirer.partition
  const groups = [groupOf('all', range(0, 100))]
  const ask = () => acquirer.ask({ eligible: everybody, groups, minimumGroup: 3 * k }).reason
  assert.equal(ask(), 'approved')
  assert.equal(ask(), 'approved')
  assert.equal(acquirer.partition.head, head + 1)
  assert.equal(total(acquirer, range(0, k)).reason, 'declined.differencing')
})

const PEOPLE = 240

/** A band of people; mostly on round borders, so that many asks are answered, and sometimes off by a few. */
const band = fc
  .record({
    from: fc.nat(11),
    length: fc.integer({ min: 1, max: 12 }),
    offFrom: fc.constantFrom(0, 0, 0, 0, 1, -1, 9),
    offTo: fc.constantFrom(0, 0, 0, 0, 1, -1, 11),
  })
  .map(({ from, length, offFrom, offTo }) =>
    range(Math.max(0, from * 20 + offFrom), Math.min(PEOPLE, (from + length) * 20 + offTo)),
  )
const few = fc.array(fc.nat(PEOPLE - 1), { minLength: 1, maxLength: 12 }).map((people) => Bitset.of(people))
const subset = fc.oneof(
  { weight: 4, arbitrary: fc.constant(range(0, PEOPLE)) },
  { weight: 6, arbitrary: band },
  { weight: 2, arbitrary: fc.tuple(band, band).map(([left, right]) => left.union(right)) },
  { weight: 1, arbitrary: fc.tuple(band, few).map(([left, right]) => left.difference(right)) },
  { weight: 1, arbitrary: fc.tuple(band, few).map(([left, right]) => left.union(right)) },
)
const act = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.record({
      act: fc.constant('ask' as const),
      people: subset,
      width: fc.constantFrom(20, 40, 60, 7, 240, 240),
      measured: fc.option(subset, { freq: 2 }),
      isStrict: fc.constantFrom(false, false, false, true),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      act: fc.constant('event' as const),
      event: fc.constantFrom('revoke', 'join', 'change', 'rows'),
      people: fc.oneof(band, few),
      columns: fc.constantFrom(
        [shown(SUMMED)],
        [shown(SUMMED), shown('y')],
        [shown('y')],
        [shown('y'), { name: SUMMED, isShown: false }],
      ),
    }),
  },
)

/** The minimum group of some of the asks. */
const STRICT = 2 * k

/** Longer histories, and more of them, where there is time for it. */
const IS_LONG = process.env['HEDGEROW_FAULTS'] !== undefined
const LENGTHS = IS_LONG ? { minLength: 1_000, maxLength: 3_000 } : { minLength: 150, maxLength: 300 }

for (const narrows of [false, true]) {
  const name = narrows ? 'that leave people out' : 'about everybody'
  test(`no history of answers ${name} tells anything about fewer people than the minimum group`, () => {
    const told = { approved: 0, rank: 0, refused: 0, strict: 0 }
    fc.assert(
      fc.property(fc.array(act, LENGTHS), (acts) => {
        const acquirer = new History({ personCount: PEOPLE, minimumGroup: k, narrows })
        let eligible = range(0, 200)
        for (const one of acts) {
          if (one.act === 'event') {
            if (one.event === 'revoke') eligible = eligible.difference(one.people)
            else if (one.event === 'join') eligible = eligible.union(one.people)
            else if (one.event === 'change') acquirer.change(one.people)
            else acquirer.releaseRows(one.people, one.columns)
          } else {
            const asked = eligible.intersection(one.people)
            const groups: ReturnType<typeof groupOf>[] = []
            for (let from = 0; from < PEOPLE; from += one.width) {
              const people = asked.intersection(range(from, from + one.width))
              if (!people.isEmpty)
                groups.push(
                  groupOf(`${from}`, people, one.measured ? people.intersection(one.measured) : people),
                )
            }
            const { reason } = acquirer.ask({
              eligible,
              groups,
              ...(one.isStrict && { minimumGroup: STRICT }),
            })
            told[reason.startsWith('declined') ? 'refused' : 'approved'] += 1
          }
        }
        const space = new RowSpace(
          acquirer.vectors.filter((members) => members.length > 1),
          acquirer.unitCount,
        )
        told.rank += space.rank
        // Older values of whose rows are known do not count; newer ones do.
        const lastKnown = new Map<number, number>()
        for (const [unit, more] of acquirer.vectors)
          if (unit !== undefined && more === undefined)
            lastKnown.set(
              acquirer.personOf(unit),
              Math.max(unit, lastKnown.get(acquirer.personOf(unit)) ?? -1),
            )
        for (const members of space.classes()) {
          const people = new Set(members.map((unit) => acquirer.personOf(unit)))
          assert.ok(people.size >= k, `a class of ${people.size}`)
          const unknown = new Set(
            members
              .map((unit) => [unit, acquirer.personOf(unit)] as const)
              .flatMap(([unit, person]) => ((lastKnown.get(person) ?? -1) < unit ? [person] : [])),
          ).size
          assert.ok(unknown === 0 || unknown >= k, `a class with ${unknown} unknown`)
        }
        for (const support of space.supports()) assert.ok(support.length >= k)
        for (const members of new RowSpace(acquirer.strictVectors, acquirer.unitCount).classes()) {
          told.strict += 1
          const people = new Set(members.map((unit) => acquirer.personOf(unit)))
          assert.ok(people.size >= STRICT, `a class of ${people.size} in stricter answers`)
        }
        for (let unit = 0; unit < acquirer.unitCount; unit += 1) assert.ok(!space.contains([unit]))
      }),
      { numRuns: IS_LONG ? 40 : 25 },
    )
    assert.ok(
      told.approved > (IS_LONG ? 300 : 500) && told.rank > 50 && told.strict > 50,
      `too few answers for the property to say anything: ${JSON.stringify(told)}`,
    )
    assert.ok(told.refused > 500)
  })
}

test('with the rule taken out the same algebra finds single people', () => {
  // Every set that is large enough by itself is let out, as with a minimum group alone.
  const vectors: (readonly number[])[] = []
  let state = 7
  for (let answer = 0; answer < 400; answer += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const from = (state >>> 8) % 160
    vectors.push([...range(from, from + 40 + ((state >>> 20) % 40))])
  }
  const space = new RowSpace(vectors, PEOPLE)
  const found = Array.from({ length: PEOPLE }, (_, person) => person).filter((one) => space.contains([one]))
  assert.ok(found.length > 50, `only ${found.length} people are known to the last digit`)
})
