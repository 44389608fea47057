import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { seededBytes } from '../../../src/testing/seeded-bytes.ts'
import { exactChance } from '../../../src/site/privacy/exact-chance.ts'
import type { ExactChance } from '../../../src/site/privacy/exact-chance.ts'
import { makeNoisy, noisyCount, placeRuns } from '../../../src/site/privacy/make-noisy.ts'
import { numberOf, planNoise, showThreshold } from '../../../src/site/privacy/noise-plan.ts'
import { planPrivacy } from '../../../src/site/privacy/plan-privacy.ts'
import type { PrivacyPlan } from '../../../src/site/privacy/plan-privacy.ts'
import {
  ANSWER_DELTA,
  gaussianLoss,
  gaussianRhoNano,
  pureLoss,
  RHO_NANO_LEAST,
} from '../../../src/site/privacy/privacy-loss.ts'
import { epsilonMicroOf } from './epsilon-of-loss.ts'
import { checkQuestion } from '../../../src/site/query/check-question.ts'
import { athletes } from '../../attacks/worlds.ts'

const BY_TOWN = 'select town, count(distinct id), sum(score) from athletes group by town'

function planOf(
  sql: string,
  { noise = 'laplace', setsPerPerson = 1 }: { noise?: 'laplace' | 'gaussian'; setsPerPerson?: number } = {},
): PrivacyPlan {
  const dataSets = new Map([[String(athletes.dataSet), athletes]])
  const checked = checkQuestion(sql, { mode: 'private', dataSets })
  assert.ok(checked.ok, JSON.stringify(checked))
  return planPrivacy(checked.value, { privacy: { epsilon: 0.5, noise }, minimumGroup: 20, setsPerPerson })
}

test('no answer is counted with less than the least rho, by which answers are bounded', () => {
  assert.equal(pureLoss(10_000).rhoNano, RHO_NANO_LEAST)
  assert.equal(gaussianLoss(10_000).rhoNano, RHO_NANO_LEAST)
})

test('an epsilon-private answer loses half of its square, a Gaussian one what half of its delta allows', () => {
  assert.equal(pureLoss(1_000_000).rhoNano, 500_000_000)
  const told = epsilonMicroOf(gaussianRhoNano(1_000_000), ANSWER_DELTA / 2)
  assert.ok(told <= 1_000_001 && told > 999_000, `${told}`)
})

test('a place is chosen at half of its epsilon for each unit that a person can move its loss', () => {
  const figures = [{ sensitivity: 7n, weight: 1, isPlace: true }]
  const { figures: planned } = planNoise({ epsilonMicro: 500_000, groupsMax: 3, figures, noise: 'laplace' })
  const [place] = planned
  assert.ok(place?.kind === 'place')
  assert.ok(Math.abs(numberOf(place.rate) - 0.5 / 3 / (2 * 7)) < 1e-12)
})

for (const noise of ['laplace', 'gaussian'] as const) {
  test(`groups whose names come from the data are shown from as many people on as delta asks for: ${noise}`, () => {
    const shownFromAt = (setsPerPerson: number, delta: number) => {
      const plan = planOf(BY_TOWN, { noise, setsPerPerson })
      const at = plan.design.figures.findIndex(({ kind }) => kind === 'people')
      const people = plan.noise.figures[at]
      assert.ok(people)
      const { groupsMax } = plan.design.bounds
      assert.equal(plan.shownFrom, showThreshold({ noise: people, minimumGroup: 20, groupsMax, delta }))
      return plan.shownFrom ?? 0
    }
    const share = noise === 'laplace' ? 1 : 0.5
    const alone = shownFromAt(1, ANSWER_DELTA * share)
    // Twice the noise for who is in two sets, and a delta that counts for both.
    assert.ok(shownFromAt(2, (ANSWER_DELTA * share) / (2 * Math.exp(0.5))) > 1.5 * alone)
  })
}

test('a group below the threshold is not shown, and one far above it is', () => {
  const plan = planOf(BY_TOWN)
  const facing = { ...plan, chance: exactChance(seededBytes('a group below the threshold')) }
  const groupOf = (people: bigint) => ({
    keys: [`town of ${people}`],
    people,
    series: plan.design.series.map(() => ({ rows: people, distances: 0n, squares: 0n })),
    places: [],
  })
  const shown = makeNoisy([groupOf(0n), groupOf(20n), groupOf(100_000n)], facing)
  assert.deepEqual(
    shown.map(({ keys }) => keys),
    [['town of 100000']],
  )
})

test('every figure is noisy, and the number of people that the price follows is too, and never below 0', () => {
  const plan = planOf('select count(distinct id), sum(score) from athletes')
  const facing = { ...plan, chance: exactChance(seededBytes('every figure is noisy')) }
  const group = {
    keys: [],
    people: 1_000n,
    series: plan.design.series.map(() => ({ rows: 1_000n, distances: 0n, squares: 0n })),
    places: [],
  }
  const drawn = Array.from({ length: 20 }, () => makeNoisy([group], facing)[0]?.values ?? [])
  for (const column of [0, 1]) assert.ok(new Set(drawn.map((values) => values[column])).size > 5)
  const counts = Array.from({ length: 50 }, () => noisyCount(0, facing))
  assert.ok(new Set(counts).size > 5)
  assert.ok(counts.every((count) => count >= 0))
})

/** Of which every draw of noise is 0. */
const NO_NOISE: ExactChance = {
  below: () => 0n,
  coin: () => false,
  expMinus: ({ numerator }) => numerator === 0n,
}

test('where all noise is 0 figures are what was collected, and a group is shown from the very number that is told on', () => {
  const plan = planOf('select town, count(distinct id), sum(height), avg(height) from athletes group by town')
  const grid = plan.design.series.find((one) => one.grid)?.grid
  assert.ok(grid)
  const groupOf = (people: number, rows = people) => ({
    keys: [people],
    people: BigInt(people),
    // Each a metre above the middle.
    series: plan.design.series.map(() => ({
      rows: BigInt(rows),
      distances: BigInt(rows) * BigInt(Math.round(1 / grid.unit)),
      squares: 0n,
    })),
    places: [],
  })
  const shownFrom = plan.note.shownFrom ?? 0
  const asked = [groupOf(shownFrom - 1), groupOf(shownFrom), groupOf(1_000), groupOf(2_000, -3)]
  const shown = makeNoisy(asked, { ...plan, chance: NO_NOISE })
  // Bounds of 1 to 3 metres: the middle is 2.
  assert.deepEqual(
    shown.map(({ values }) => values),
    [
      [shownFrom, 3 * shownFrom, 3],
      [1_000, 3_000, 3],
      [2_000, -9, null],
    ],
  )
  const [alone] = makeNoisy([groupOf(1_000)], {
    ...planOf('select sum(height) from athletes'),
    chance: NO_NOISE,
  })
  assert.deepEqual(alone?.values, [3_000])
})

test('a place is as far from being the quantile as rows have to change sides, its own to whichever side', () => {
  const places = { step: 1n, count: 5 }
  const figure = { kind: 'place', series: 0, quantileMicro: 250_000, places } as const
  const weights = [
    { place: 1, weight: 3n },
    { place: 2, weight: 5n },
  ]
  // Of eight a quarter stands below: on place 1 two of its three do; past place 2 all eight do.
  assert.deepEqual(placeRuns(weights, figure), [
    { from: 0, to: 0, loss: 2_000_000n },
    { from: 1, to: 1, loss: 0n },
    { from: 2, to: 2, loss: 1_000_000n },
    { from: 3, to: 4, loss: 6_000_000n },
  ])
})
