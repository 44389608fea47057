import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import fc from 'fast-check'
import { Bitset } from '../../../src/kernel/bitset.ts'
import type {
  CollectedGroup,
  CollectedMeasure,
  MeasureKind,
} from '../../../src/site/guard/collected-group.ts'
import { guardGroups } from '../../../src/site/guard/guard-groups.ts'
import { measureValue } from '../../../src/site/guard/measure-value.ts'
import { mergeGroups } from '../../../src/site/guard/merge-groups.ts'
import { groupOf, range, sumOver } from './released-history.ts'

const settings = { minimumGroup: 20, dominanceBp: 1_000, groupsMax: 1_000 }
const people = range(0, 50)

function group(measure: Partial<CollectedMeasure>): CollectedGroup {
  return { keys: ['a'], people, measures: [sumOver(people, measure)] }
}

/** Whether a group of 50 people with one measure is shown. */
function isShown(measure: Partial<CollectedMeasure>): boolean {
  return guardGroups([group(measure)], settings).ok
}

test('guardGroups() shows a group from the minimum on, and not one person earlier', () => {
  assert.equal(guardGroups([groupOf('a', range(0, 20))], settings).ok, true)
  const small = guardGroups([groupOf('a', range(0, 19))], settings)
  assert.equal(!small.ok && small.error.code, 'declined.group_too_small')
  assert.equal(guardGroups([], settings).ok, false)
})

test('guardGroups() looks at who contributes to a measure and at who does not', () => {
  assert.equal(isShown({ people: range(0, 20) }), true)
  assert.equal(isShown({ people: range(0, 19) }), false)
  assert.equal(isShown({ people: range(0, 30) }), true)
  assert.equal(isShown({ people: range(0, 31) }), false)
  assert.equal(isShown({ people: new Bitset() }), true)
})

test('a sum in which all but one give nothing is not shown', () => {
  assert.equal(isShown({ people: Bitset.of([7]), sum: 81, largestShare: 81, absoluteSum: 81 }), false)
})

test('an average over all but one is not shown, even where many of the values are 0', () => {
  const contributing = range(0, 20)
  assert.equal(isShown({ kind: 'avg', people: contributing, counted: people }), true)
  assert.equal(isShown({ kind: 'avg', people: contributing, counted: range(0, 49) }), false)
  assert.equal(isShown({ kind: 'avg', people: contributing, counted: range(0, 30) }), true)
  assert.equal(isShown({ kind: 'avg', people: Bitset.of([7]), counted: people }), false)
  assert.equal(isShown({ kind: 'avg', people: new Bitset(), counted: range(0, 49) }), false)
})

test('a measure of people who are not in the row is not shown', () => {
  assert.equal(isShown({ people: range(40, 90) }), false)
})

test('dominance: a tenth of a sum from one person is shown, more is not', () => {
  assert.equal(isShown({ largestShare: 10, absoluteSum: 100 }), true)
  assert.equal(isShown({ largestShare: 10.001, absoluteSum: 100 }), false)
  assert.equal(isShown({ kind: 'avg', largestShare: 11, absoluteSum: 100 }), false)
  assert.equal(isShown({ kind: 'var_samp', largestShare: 11, absoluteSum: 100 }), false)
  assert.equal(isShown({ largestShare: Number.NaN, absoluteSum: 100 }), false)
  assert.equal(isShown({ largestShare: 1, absoluteSum: Number.POSITIVE_INFINITY }), false)
})

test('dominance: a variance is judged by its sum of squares too', () => {
  const squares = { kind: 'var_samp', largestShare: 5, absoluteSum: 100, sumOfSquares: 1_000 } as const
  assert.equal(isShown({ ...squares, largestSquares: 100 }), true)
  assert.equal(isShown({ ...squares, largestSquares: 100.001 }), false)
  assert.equal(isShown({ ...squares, largestSquares: Number.POSITIVE_INFINITY }), false)
})

test('dominance: a number of people is exempt, a number of rows is not', () => {
  assert.equal(isShown({ kind: 'people', largestShare: 40, absoluteSum: 50 }), true)
  assert.equal(isShown({ kind: 'count', largestShare: 40, absoluteSum: 89 }), false)
  assert.equal(isShown({ kind: 'count', largestShare: 2, absoluteSum: 15 }), false)
  const strict = { ...settings, dominanceBp: 100 }
  assert.equal(guardGroups([group({ kind: 'count', largestShare: 1, absoluteSum: 50 })], strict).ok, true)
})

test('groups that are too small become one remainder, if that is large enough', () => {
  const groups = [groupOf('a', range(0, 30)), groupOf('b', range(30, 41)), groupOf('c', range(41, 50))]
  const guarded = guardGroups(groups, settings)
  assert.ok(guarded.ok)
  assert.deepEqual(
    guarded.value.released.map(({ keys }) => keys),
    [['a']],
  )
  assert.deepEqual(guarded.value.remainder?.keys, [null])
  assert.deepEqual([...(guarded.value.remainder?.people ?? [])], [...range(30, 50)])
  assert.equal(guarded.value.remainder?.measures[0]?.sum, 20)
  const smaller = guardGroups([...groups.slice(0, 2), groupOf('c', range(41, 49))], settings)
  assert.ok(smaller.ok)
  assert.equal(smaller.value.remainder, undefined)
  assert.equal(smaller.value.suppressed.length, 2)
})

test('groups by a key of rows, in which people stand twice, never make a remainder', () => {
  const groups = [
    groupOf('monday', range(0, 30)),
    groupOf('tuesday', range(20, 35)),
    groupOf('friday', range(30, 45)),
  ]
  const guarded = guardGroups(groups, settings)
  assert.ok(guarded.ok)
  assert.equal(guarded.value.released.length, 1)
  assert.equal(guarded.value.remainder, undefined)
})

test('more groups than allowed are declined before any is looked at', () => {
  const groups = Array.from({ length: 1_001 }, (_, index) => groupOf(`${index}`, people))
  const guarded = guardGroups(groups, settings)
  assert.equal(!guarded.ok && guarded.error.code, 'declined.too_large')
  assert.equal(guardGroups(groups.slice(1), settings).ok, true)
})

test('a remainder is judged by who contributes to each of its parts', () => {
  const some = (set: Bitset, measure: Partial<CollectedMeasure>) => ({
    keys: ['x'],
    people: set,
    measures: [sumOver(set, { kind: 'avg', ...measure })],
  })
  const shown = groupOf('a', range(100, 130))
  const [whole, part] = [range(0, 19), range(19, 38)]
  const remainder = (measure: Partial<CollectedMeasure>) => {
    const guarded = guardGroups([shown, some(whole, {}), some(part, measure)], settings)
    assert.ok(guarded.ok)
    return guarded.value.remainder?.measures[0]
  }
  assert.deepEqual([...(remainder({})?.people ?? [])], [...range(0, 38)])
  // One of the 38 gives nothing, or has no value: then there is no such row.
  assert.equal(remainder({ people: range(19, 37) }), undefined)
  assert.equal(remainder({ counted: range(19, 37) }), undefined)
  const merged = mergeGroups([some(whole, {}), some(part, { people: range(19, 37), counted: part })])
  assert.deepEqual([...(merged.measures[0]?.people ?? [])], [...range(0, 37)])
  assert.deepEqual([...(merged.measures[0]?.counted ?? [])], [...range(0, 38)])
})

const row = fc.record({ person: fc.nat(60), group: fc.nat(4), value: fc.integer({ min: -50, max: 50 }) })

/** The state of one measure from its rows, as an engine would collect it. */
function collect(rows: readonly { person: number; value: number }[], kind: MeasureKind): CollectedMeasure {
  const shares = new Map<number, number>()
  const squares = new Map<number, number>()
  for (const { person, value } of rows) {
    shares.set(person, (shares.get(person) ?? 0) + Math.abs(value))
    squares.set(person, (squares.get(person) ?? 0) + value * value)
  }
  return {
    kind,
    count: rows.length,
    sum: rows.reduce((sum, { value }) => sum + value, 0),
    sumOfSquares: rows.reduce((sum, { value }) => sum + value * value, 0),
    people: Bitset.of(rows.filter(({ value }) => value !== 0).map(({ person }) => person)),
    largestShare: Math.max(0, ...shares.values()),
    absoluteSum: [...shares.values()].reduce((sum, share) => sum + share, 0),
    ...(kind === 'var_pop' ? { largestSquares: Math.max(0, ...squares.values()) } : {}),
  }
}

test('a merged group is the group of all its rows, and its largest share is never too small', () => {
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 80 }), (rows) => {
      const groups = [0, 1, 2, 3, 4].map((key): CollectedGroup => {
        const own = rows.filter(({ group: name }) => name === key)
        return {
          keys: [key],
          people: Bitset.of(own.map(({ person }) => person)),
          measures: [collect(own, 'var_pop')],
        }
      })
      const merged = mergeGroups(groups)
      const whole = collect(rows, 'var_pop')
      const measure = merged.measures[0]
      assert.ok(measure)
      assert.deepEqual([...merged.people], [...Bitset.of(rows.map(({ person }) => person))])
      assert.deepEqual([...measure.people], [...whole.people])
      assert.deepEqual(
        [measure.count, measure.sum, measure.sumOfSquares, measure.absoluteSum],
        [whole.count, whole.sum, whole.sumOfSquares, whole.absoluteSum],
      )
      assert.ok(measure.largestShare >= whole.largestShare)
      const [squares = -1, ofWhole = 0] = [measure.largestSquares, whole.largestSquares]
      assert.ok(squares >= ofWhole)
      const isDisjoint = groups.reduce((sum, part) => sum + part.people.count(), 0) === merged.people.count()
      if (isDisjoint) assert.deepEqual([measure.largestShare, squares], [whole.largestShare, ofWhole])
    }),
  )
})

test('measureValue() gives what SQL gives', () => {
  const values = [4, 7, 13, 16].map((value, person) => ({ person, value }))
  const valueOf = (kind: MeasureKind, rows = values) => measureValue(collect(rows, kind))
  assert.equal(valueOf('people'), 4)
  assert.equal(valueOf('count'), 4)
  assert.equal(valueOf('sum'), 40)
  assert.equal(valueOf('avg'), 10)
  assert.equal(valueOf('var_samp'), 30)
  assert.equal(valueOf('var_pop'), 22.5)
  assert.equal(valueOf('stddev_samp'), 5.47722557505)
  assert.equal(valueOf('stddev_pop'), 4.74341649025)
  for (const kind of ['sum', 'avg', 'var_samp', 'var_pop', 'stddev_samp', 'stddev_pop'] as const)
    assert.equal(valueOf(kind, []), null)
  assert.equal(valueOf('var_samp', values.slice(0, 1)), null)
  assert.equal(valueOf('var_pop', values.slice(0, 1)), 0)
  assert.equal(measureValue({ ...collect(values, 'sum'), sum: Number.POSITIVE_INFINITY }), null)
  assert.equal(measureValue({ ...collect(values, 'var_pop'), sumOfSquares: Number.NaN }), null)
})

test('measureValue() keeps the digits of a variance that is small beside its mean', () => {
  const rows = Array.from({ length: 1_000 }, (_, person) => ({ person, value: 1_000_000 + (person % 2) }))
  assert.equal(measureValue(collect(rows, 'var_pop')), 0.25)
  const constant = Array.from({ length: 1_000 }, (_, person) => ({ person, value: 0.1 }))
  assert.equal(measureValue(collect(constant, 'var_pop')), 0)
})

/** The covariance of pairs and the averages of both sides, as an engine would collect them. */
function covarianceOf(pairs: readonly (readonly [number, number])[]): number | null {
  const side = (valueOf: (pair: readonly [number, number]) => number, kind: MeasureKind) =>
    collect(
      pairs.map((pair, person) => ({ person, value: valueOf(pair) })),
      kind,
    )
  const margins = [side(([y]) => y, 'avg'), side(([, x]) => x, 'avg')]
  const measure = { ...side(([y, x]) => y * x, 'covar_pop'), margins: [0, 1] as const }
  return measureValue(measure, [...margins, measure])
}

test('measureValue() gives the covariance that SQL gives, however far from 0 the values are', () => {
  assert.equal(
    covarianceOf([
      [1, 2],
      [2, 3],
      [4, 7],
    ]),
    2.66666666667,
  )
  const far = Array.from({ length: 30 }, (_, at) => [1e6 + (at % 2), 1e6 + (at % 2) * 3] as const)
  assert.equal(covarianceOf(far), 0.75)
  assert.equal(covarianceOf(far.map(([y]) => [y, 1e6 + 0.1] as const)), 0)
  assert.equal(covarianceOf([[1, 2]]), 0)
  assert.equal(covarianceOf([]), null)
})

test('a covariance is not computed from averages over other rows', () => {
  const measure = { ...sumOver(people, { kind: 'covar_pop' }), margins: [0, 1] as const }
  const other = sumOver(range(0, 49), { kind: 'avg' })
  assert.throws(() => measureValue(measure, [sumOver(people, { kind: 'avg' }), other, measure]), /other rows/)
})

test('measureValue() does not tell in which order values were added', () => {
  const values = fc.array(fc.double({ min: 0, max: 250, noNaN: true }), { minLength: 30, maxLength: 300 })
  let differences = 0
  fc.assert(
    fc.property(values, (list) => {
      const rows = list.map((value, person) => ({ person, value }))
      const forwards = collect(rows, 'avg')
      const backwards = collect(rows.toReversed(), 'avg')
      if (forwards.sum !== backwards.sum) differences += 1
      assert.equal(measureValue(forwards), measureValue(backwards))
    }),
    { seed: 7 },
  )
  assert.ok(differences > 10)
})
