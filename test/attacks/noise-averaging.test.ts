import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { manifestSchema } from '../../src/protocol/data-set.ts'
import { exactChance } from '../../src/site/privacy/exact-chance.ts'
import type { ExactChance } from '../../src/site/privacy/exact-chance.ts'
import { makeNoisy } from '../../src/site/privacy/make-noisy.ts'
import { planPrivacy } from '../../src/site/privacy/plan-privacy.ts'
import type { PrivacyPlan } from '../../src/site/privacy/plan-privacy.ts'
import { limitOf } from '../../src/site/privacy/privacy-loss.ts'
import { checkQuestion } from '../../src/site/query/check-question.ts'
import type { PrivateGroup } from '../../src/site/query/plan/private-group.ts'
import { seededBytes } from '../../src/testing/seeded-bytes.ts'

/**
 * Averaging and tracker chains against `private`. The attacker knows everybody else's values exactly, and spends a
 * whole year's budget to learn whether one person is in the data, who has the value that is easiest to see. Its
 * advantage, the chance of crying wolf rightly less that of crying it wrongly, is at most tanh(epsilon / 2).
 */
const manifest = manifestSchema.parse({
  dataSet: 'visits',
  title: 'Visits',
  issuer: 'federation',
  person: { key: 'id' },
  columns: [
    { name: 'id', type: 'text', sensitivity: 'direct_identifier' },
    { name: 'ill', type: 'boolean', isRequired: true },
    { name: 'cost', type: 'number', bounds: [0, 100], isRequired: true },
  ],
  legalBasis: 'eu-gdpr:A6-1-a',
  purposes: ['dpv:ResearchAndDevelopment'],
  modes: ['private'],
  perimeter: { store: { within: ['EEA'] }, process: { within: ['EEA'] }, release: { within: ['EEA'] } },
  retention: { period: 'P50Y', from: '2020-01-01' },
  tariff: { currency: 'EUR', capMinor: 1_000 },
  splits: { issuer: 4_000, custodian: 2_500, network: 500, subjects: 3_000 },
})
const dataSets = new Map([['visits', manifest]])
const YEAR = { epsilon: 1, delta: 1e-6 }
const TRIALS = 800

interface Attack {
  readonly name: string
  readonly question: string
  readonly epsilon: number
  readonly noise: 'laplace' | 'gaussian'
  /** By how much the person changes each output. */
  readonly steps: readonly number[]
  /** Every other ask leaves the person out by a condition. */
  readonly isTracker?: boolean
}

const SUM = { question: 'select sum(cost) from visits', steps: [100] }
const ATTACKS: readonly Attack[] = [
  { name: 'one ask with all of the budget', ...SUM, epsilon: 1, noise: 'laplace' },
  { name: 'the average of ten asks', ...SUM, epsilon: 0.1, noise: 'laplace' },
  { name: 'the average of a hundred asks', ...SUM, epsilon: 0.01, noise: 'laplace' },
  { name: 'the average of all that Gaussian noise lets through', ...SUM, epsilon: 0.2, noise: 'gaussian' },
  { name: 'a chain of trackers', ...SUM, epsilon: 0.05, noise: 'laplace', isTracker: true },
  {
    name: 'all figures of two asks together',
    question: 'select count(*), sum(cost), count(*) filter (where ill) from visits',
    steps: [1, 100, 1],
    epsilon: 0.5,
    noise: 'laplace',
  },
]

for (const attack of ATTACKS) {
  test(`${attack.name}: the advantage stays below what epsilon gives`, () => {
    const plan = planOf(attack)
    const asks = asksPaidFor(plan)
    const cries = (isThere: boolean): number => {
      const chance = exactChance(seededBytes(`${attack.name} ${isThere}`))
      let count = 0
      for (let trial = 0; trial < TRIALS; trial += 1)
        if (evidence(attack, { plan, asks, isThere, chance }) > 0.5) count += 1
      return count / TRIALS
    }
    const [right, wrong] = [cries(true), cries(false)]
    const deviation = Math.sqrt((right * (1 - right) + wrong * (1 - wrong)) / TRIALS)
    const told = `${right - wrong} from ${asks} asks`
    assert.ok(right - wrong <= Math.tanh(YEAR.epsilon / 2) + YEAR.delta + 3 * deviation, told)
    // The attack is one: with no noise at all it would always be right.
    assert.ok(right - wrong > 0.03, told)
  })
}

function planOf({ question, epsilon, noise }: Attack): PrivacyPlan {
  const checked = checkQuestion(question, { mode: 'private', dataSets })
  assert.ok(checked.ok)
  return planPrivacy(checked.value, { privacy: { epsilon, noise }, minimumGroup: 20 })
}

/** How many asks of this kind a year's budget pays for, by the rule of the account. */
function asksPaidFor({ noise: { loss } }: PrivacyPlan): number {
  const limit = limitOf(YEAR)
  return Math.max(
    Math.floor(limit.epsilonMicro / loss.epsilonMicro),
    Math.floor(limit.rhoNano / loss.rhoNano),
  )
}

/** A hundred others whose costs lie in the middle, and the person. */
function groupOf(isThere: boolean, { design }: PrivacyPlan): PrivateGroup {
  const people = isThere ? 101n : 100n
  return {
    keys: [],
    people,
    series: design.series.map(({ grid }) => ({
      rows: people,
      distances: isThere ? (grid?.greatest ?? 0n) : 0n,
      squares: 0n,
    })),
    places: [],
  }
}

interface Trial {
  readonly plan: PrivacyPlan
  readonly asks: number
  readonly isThere: boolean
  readonly chance: ExactChance
}

/** About 1 when the person is there and 0 when not, over all that the attacker was told. */
function evidence({ steps, isTracker = false }: Attack, { plan, asks, isThere, chance }: Trial): number {
  const ask = (isAsked: boolean): number => {
    const facts = { design: plan.design, noise: plan.noise, chance }
    const [group] = makeNoisy([groupOf(isAsked && isThere, plan)], facts)
    const parts = steps.map(
      (step, index) => ((group?.values[index] ?? 0) - (step === 100 ? 5_000 : 100)) / step,
    )
    return parts.reduce((sum, part) => sum + part, 0) / parts.length
  }
  let sum = 0
  for (let index = 0; index < asks; index += 1) {
    const isAsked = !isTracker || index % 2 === 0
    sum += isAsked ? ask(true) : -ask(false)
  }
  return (isTracker ? 2 : 1) * (sum / asks)
}
