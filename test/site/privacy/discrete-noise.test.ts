import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import fc from 'fast-check'
import { choosePlace } from '../../../src/site/privacy/choose-place.ts'
import { discreteGaussian, discreteLaplace, rootOf } from '../../../src/site/privacy/discrete-noise.ts'
import { exactChance } from '../../../src/site/privacy/exact-chance.ts'
import type { Fraction } from '../../../src/site/privacy/exact-chance.ts'
import { seededBytes } from '../../../src/testing/seeded-bytes.ts'
import { misfit, tally } from './goodness-of-fit.ts'

const DRAWS = 40_000
/** A misfit that chance gives once in 30,000 times; seeds are fixed, so these tests do not flicker. */
const MISFIT_MAX = 4

const fraction = (numerator: bigint, denominator: bigint): Fraction => ({ numerator, denominator })

for (const bound of [1n, 2n, 3n, 200n, 256n, 257n, 1_000n]) {
  test(`below(${bound}) gives each number equally often`, () => {
    const chance = exactChance(seededBytes(`below ${bound}`))
    const counts = tally(DRAWS, () => chance.below(bound))
    assert.ok([...counts.keys()].every((value) => value >= 0 && value < Number(bound)))
    if (bound === 1n) return
    const within = (value: number) => (value >= 0 && value < Number(bound) ? 1 / Number(bound) : 0)
    assert.ok(misfit(counts, within) < MISFIT_MAX)
  })
}

test('below() of a bound past 64 bits stays below it and reaches its upper half', () => {
  const chance = exactChance(seededBytes('large'))
  const bound = 10n ** 30n + 7n
  const drawn = Array.from({ length: 500 }, () => chance.below(bound))
  assert.ok(drawn.every((value) => value >= 0n && value < bound))
  const upper = drawn.filter((value) => value > bound / 2n).length
  assert.ok(upper > 190 && upper < 310, `${upper} of 500`)
})

for (const [numerator, denominator] of [
  [0n, 1n],
  [1n, 3n],
  [1n, 1n],
  [7n, 3n],
  [5n, 1n],
] as const) {
  test(`expMinus(${numerator}/${denominator}) is true as often as it should be`, () => {
    const chance = exactChance(seededBytes(`exp ${numerator}/${denominator}`))
    const x = fraction(numerator, denominator)
    const counts = tally(DRAWS, () => (chance.expMinus(x) ? 1 : 0))
    const yes = Math.exp(-Number(numerator) / Number(denominator))
    const deviation = Math.sqrt(DRAWS * yes * (1 - yes))
    assert.ok(Math.abs((counts.get(1) ?? 0) - DRAWS * yes) <= MISFIT_MAX * deviation)
  })
}

/** exp(-|x| / scale), normed. */
function laplaceMass(scale: number): (x: number) => number {
  const ratio = Math.exp(-1 / scale)
  return (x) => ((1 - ratio) / (1 + ratio)) * ratio ** Math.abs(x)
}

/** exp(-x² / 2 variance), normed by its sum. */
function gaussianMass(variance: number): (x: number) => number {
  const weight = (x: number) => Math.exp(-(x * x) / (2 * variance))
  let sum = 0
  const reach = Math.ceil(12 * Math.sqrt(variance)) + 12
  for (let x = -reach; x <= reach; x += 1) sum += weight(x)
  return (x) => weight(x) / sum
}

for (const scale of [
  fraction(1n, 3n),
  fraction(1n, 1n),
  fraction(5n, 2n),
  fraction(10n, 1n),
  fraction(1_000n, 37n),
]) {
  test(`discreteLaplace() of scale ${scale.numerator}/${scale.denominator} has its distribution`, () => {
    const chance = exactChance(seededBytes(`laplace ${scale.numerator}`))
    const counts = tally(DRAWS, () => discreteLaplace(scale, chance))
    const mass = laplaceMass(Number(scale.numerator) / Number(scale.denominator))
    assert.ok(misfit(counts, mass) < MISFIT_MAX)
    assert.ok(
      misfit(counts, laplaceMass((1.1 * Number(scale.numerator)) / Number(scale.denominator))) > MISFIT_MAX,
    )
  })
}

for (const variance of [
  fraction(1n, 4n),
  fraction(1n, 1n),
  fraction(7n, 2n),
  fraction(100n, 1n),
  fraction(12_345n, 17n),
]) {
  test(`discreteGaussian() of variance ${variance.numerator}/${variance.denominator} has its distribution`, () => {
    const chance = exactChance(seededBytes(`gaussian ${variance.numerator}`))
    const counts = tally(DRAWS, () => discreteGaussian(variance, chance))
    const mass = gaussianMass(Number(variance.numerator) / Number(variance.denominator))
    assert.ok(misfit(counts, mass) < MISFIT_MAX)
    assert.ok(
      misfit(counts, gaussianMass((1.15 * Number(variance.numerator)) / Number(variance.denominator))) >
        MISFIT_MAX,
    )
  })
}

test('choosePlace() takes each place with a probability that falls off with its loss', () => {
  const runs = [
    { from: 0, to: 2, loss: 40n },
    { from: 3, to: 3, loss: 10n },
    { from: 4, to: 8, loss: 12n },
    { from: 9, to: 9, loss: 30n },
  ]
  const rate = fraction(1n, 8n)
  const lossAt = (place: number) =>
    Number(runs.find(({ from, to }) => place >= from && place <= to)?.loss ?? Infinity)
  const weight = (place: number) => (place >= 0 && place <= 9 ? Math.exp(-lossAt(place) / 8) : 0)
  const sum = Array.from({ length: 10 }, (_, place) => weight(place)).reduce((a, b) => a + b, 0)
  const chance = exactChance(seededBytes('places'))
  const counts = tally(DRAWS, () => choosePlace(runs, rate, chance))
  assert.ok(misfit(counts, (place) => weight(place) / sum) < MISFIT_MAX)
})

test('rootOf() is the greatest whole number whose square is not above', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 40n }), (value) => {
      const root = rootOf(value)
      assert.ok(root * root <= value && (root + 1n) * (root + 1n) > value)
    }),
  )
})
