import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import fc from 'fast-check'
import { halfWidth95, numberOf, planNoise, showThreshold } from '../../../src/site/privacy/noise-plan.ts'
import type { NoisyFigure } from '../../../src/site/privacy/noise-plan.ts'
import {
  ANSWER_DELTA,
  EPSILON_MICRO_LEAST,
  gaussianRhoNano,
  guaranteedDelta,
  isWithin,
  limitOf,
  pureLoss,
  rhoNanoWithin,
} from '../../../src/site/privacy/privacy-loss.ts'
import { epsilonMicroOf } from './epsilon-of-loss.ts'

const figure = (sensitivity: bigint, more: Partial<NoisyFigure> = {}): NoisyFigure => ({
  sensitivity,
  weight: 10,
  ...more,
})

test('rhoNanoWithin() spends no more than the epsilon it was made for', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.001, max: 8, noNaN: true }),
      fc.double({ min: 1e-12, max: 1e-3, noNaN: true }),
      (epsilon, delta) => {
        const rhoNano = rhoNanoWithin({ epsilon, delta })
        assert.ok(epsilonMicroOf(rhoNano, delta) <= Math.ceil(epsilon * 1e6) + 1)
        if (rhoNano > 1_000) assert.ok(epsilonMicroOf(rhoNano * 1.01, delta) > epsilon * 1e6)
      },
    ),
  )
})

test('the shares of Laplace noise add up to the epsilon of the ask, over all groups of a person', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: EPSILON_MICRO_LEAST, max: 1_000_000 }),
      fc.integer({ min: 1, max: 20 }),
      fc.array(
        fc.record({
          sensitivity: fc.bigInt({ min: 1n, max: 10n ** 12n }),
          weight: fc.integer({ min: 1, max: 10 }),
          isPlace: fc.boolean(),
        }),
        { minLength: 1, maxLength: 6 },
      ),
      (epsilonMicro, groupsMax, figures) => {
        const { figures: noises } = planNoise({ epsilonMicro, groupsMax, figures, noise: 'laplace' })
        const spent = noises.map((noise, index) => {
          const { sensitivity } = figures[index] ?? figure(1n)
          if (noise.kind === 'laplace') return (groupsMax * Number(sensitivity)) / numberOf(noise.scale)
          return noise.kind === 'place' ? groupsMax * noise.epsilon : Number.NaN
        })
        const sum = spent.reduce((total, one) => total + one, 0)
        assert.ok(Math.abs(sum / (epsilonMicro / 1e6) - 1) < 1e-6, `${sum} of ${epsilonMicro / 1e6}`)
      },
    ),
  )
})

test('the shares of Gaussian noise add up to its rho', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: EPSILON_MICRO_LEAST, max: 1_000_000 }),
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.record({ sensitivity: fc.bigInt({ min: 1n, max: 10n ** 12n }), isPlace: fc.boolean() }), {
        minLength: 1,
        maxLength: 6,
      }),
      (epsilonMicro, groupsMax, given) => {
        const figures = given.map(({ sensitivity, isPlace }) => figure(sensitivity, { isPlace }))
        const { figures: noises } = planNoise({ epsilonMicro, groupsMax, figures, noise: 'gaussian' })
        const spent = noises.map((noise, index) => {
          const { sensitivity } = figures[index] ?? figure(1n)
          if (noise.kind === 'gaussian')
            return (groupsMax * Number(sensitivity) ** 2) / (2 * numberOf(noise.variance))
          return noise.kind === 'place' ? (groupsMax * noise.epsilon ** 2) / 8 : Number.NaN
        })
        const sum = spent.reduce((total, one) => total + one, 0) * 1e9
        assert.ok(sum <= gaussianRhoNano(epsilonMicro) * (1 + 1e-6))
        assert.ok(sum >= gaussianRhoNano(epsilonMicro) * (1 - 1e-3))
      },
    ),
  )
})

test('the narrower noise is taken: Laplace for few figures, Gaussian for many', () => {
  const few = planNoise({ epsilonMicro: 100_000, groupsMax: 1, figures: [figure(1n), figure(10n)] })
  assert.equal(few.kind, 'laplace')
  const many = planNoise({ epsilonMicro: 100_000, groupsMax: 20, figures: [figure(1n), figure(10n)] })
  assert.equal(many.kind, 'gaussian')
})

test('a group of the minimum is shown with a probability of at most delta over the groups of a person', () => {
  for (const noise of ['laplace', 'gaussian'] as const) {
    const groupsMax = 3
    const plan = planNoise({ epsilonMicro: 200_000, groupsMax, figures: [figure(1n)], noise })
    const [people] = plan.figures
    assert.ok(people && people.kind !== 'place')
    const threshold = showThreshold({ noise: people, minimumGroup: 20, groupsMax, delta: ANSWER_DELTA })
    const reach = threshold - 20
    const tail =
      people.kind === 'laplace'
        ? Math.exp(-reach / numberOf(people.scale))
        : Math.exp(-(reach ** 2) / (2 * numberOf(people.variance)))
    assert.ok(tail <= ANSWER_DELTA / groupsMax)
    assert.ok(threshold > 20 + halfWidth95(people))
  }
})

test('a budget pays for ten asks of a tenth, and for many more with Gaussian noise', () => {
  const limit = limitOf({ epsilon: 1, delta: 1e-6 })
  const asksOf = (loss: { epsilonMicro: number; rhoNano: number }) => {
    let asks = 0
    while (
      isWithin({ epsilonMicro: loss.epsilonMicro * (asks + 1), rhoNano: loss.rhoNano * (asks + 1) }, limit)
    )
      asks += 1
    return asks
  }
  assert.equal(asksOf(pureLoss(100_000)), 10)
  const { loss } = planNoise({
    epsilonMicro: 100_000,
    groupsMax: 1,
    figures: [figure(1n)],
    noise: 'gaussian',
  })
  assert.ok(asksOf(loss) > 100, String(asksOf(loss)))
})

test('the deltas of all answers that a budget can pay for stay within what is stated', () => {
  assert.ok(guaranteedDelta({ epsilon: 1, delta: 1e-6 }) < 2e-6)
  assert.ok(guaranteedDelta({ epsilon: 4, delta: 1e-6 }) < 5e-6)
  // A hundred of the least epsilon are paid for by adding up epsilon, and some more by adding up rho.
  assert.ok(guaranteedDelta({ epsilon: 1, delta: 1e-6 }) > 1e-6 + 100 * ANSWER_DELTA)
})

test('noise for somebody who is in two sets of people is twice as wide, by either kind, at the same loss', () => {
  for (const noise of ['laplace', 'gaussian'] as const) {
    const request = { epsilonMicro: 500_000, noise, groupsMax: 1, figures: [{ sensitivity: 1n, weight: 1 }] }
    const [alone, both] = [planNoise(request), planNoise({ ...request, setsPerPerson: 2 })]
    assert.deepEqual(both.loss, alone.loss)
    const [one, two] = [alone.figures[0], both.figures[0]]
    assert.ok(one && two && one.kind !== 'place' && two.kind !== 'place')
    assert.ok(halfWidth95(two) >= 2 * halfWidth95(one) * (1 - 1e-12))
    assert.ok(halfWidth95(two) <= 2.001 * halfWidth95(one))
  }
})
