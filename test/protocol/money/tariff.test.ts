import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  COUNT_STEPS,
  highestPrice,
  priceOf,
  stepOf,
  tariffSchema,
} from '../../../src/protocol/money/tariff.ts'

const minor = fc.nat(5_000)
const tariff = fc
  .record({
    currency: fc.constantFrom('EUR', 'CHF', 'JPY'),
    perRunMinor: minor,
    per100PeopleMinor: minor,
    per100RowsMinor: minor,
    perCpuSecondMinor: minor,
    minimumFeeMinor: fc.nat(1_000),
    capMinor: fc.integer({ min: 1_000, max: 1_000_000_000 }),
    volumeTiers: fc.array(
      fc.record({
        fromPeople: fc.integer({ min: 1, max: 5_000 }),
        reductionBp: fc.integer({ min: 1, max: 10_000 }),
      }),
      { maxLength: 4 },
    ),
  })
  .map((raw) => tariffSchema.parse(raw))
const units = fc.record({ peopleStep: fc.nat(10_000), rowsStep: fc.nat(10_000), cpuSeconds: fc.nat(100) })
const more = fc.record({ peopleStep: fc.nat(3), rowsStep: fc.nat(300), cpuSeconds: fc.nat(3) })

test('priceOf() lies between the minimum fee and the cap, which is what is held', () => {
  fc.assert(
    fc.property(units, tariff, (used, terms) => {
      const { amountMinor, currency } = priceOf(used, terms)
      assert.ok(amountMinor >= BigInt(terms.minimumFeeMinor) && amountMinor <= BigInt(terms.capMinor))
      assert.deepEqual(highestPrice(terms), { amountMinor: BigInt(terms.capMinor), currency })
    }),
  )
})

test('priceOf() never falls when more is used, whatever the tiers', () => {
  fc.assert(
    fc.property(units, more, tariff, (used, extra, terms) => {
      const greater = {
        peopleStep: used.peopleStep + extra.peopleStep,
        rowsStep: used.rowsStep + extra.rowsStep,
        cpuSeconds: used.cpuSeconds + extra.cpuSeconds,
      }
      assert.ok(priceOf(greater, terms).amountMinor >= priceOf(used, terms).amountMinor)
    }),
    { numRuns: 1_000 },
  )
})

test('priceOf() with two tiers from the same number of people does not make one more person cheaper', () => {
  const tiers = [
    { fromPeople: 99, reductionBp: 5_000 },
    { fromPeople: 99, reductionBp: 10_000 },
  ]
  const terms = tariffSchema.parse({
    currency: 'EUR',
    per100PeopleMinor: 1,
    capMinor: 1_000,
    volumeTiers: tiers,
  })
  const price = (peopleStep: number) => priceOf({ peopleStep, rowsStep: 0, cpuSeconds: 0 }, terms).amountMinor
  for (let people = 1; people < 400; people += 1) assert.ok(price(people) >= price(people - 1))
})

test('priceOf() takes a reduction only from what is above its tier', () => {
  const terms = tariffSchema.parse({
    currency: 'EUR',
    per100PeopleMinor: 100,
    capMinor: 1_000_000,
    volumeTiers: [{ fromPeople: 1_000, reductionBp: 2_500 }],
  })
  const price = (peopleStep: number) => priceOf({ peopleStep, rowsStep: 0, cpuSeconds: 0 }, terms).amountMinor
  assert.equal(price(1_000), 1_000n)
  assert.equal(price(2_000), 1_750n)
})

test('stepOf() is the largest step that is not above the count', () => {
  for (const [index, step] of COUNT_STEPS.entries()) {
    assert.equal(stepOf(step), step)
    if (index > 0) assert.equal(stepOf(step - 1), COUNT_STEPS[index - 1])
  }
  assert.equal(stepOf(2_000_000_000), 1_000_000)
})
