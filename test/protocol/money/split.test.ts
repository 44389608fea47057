import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import fc from 'fast-check'
import { SPLIT_PARTIES, splitAmount, splitsSchema } from '../../../src/protocol/money/split.ts'

const splits = fc.array(fc.nat(10_000), { minLength: 4, maxLength: 4 }).map((cuts) => {
  const [a = 0, b = 0, c = 0, d = 0] = cuts.toSorted((left, right) => left - right)
  return splitsSchema.parse({
    issuer: a,
    issuerProcessor: b - a,
    custodian: c - b,
    network: d - c,
    subjects: 10_000 - d,
  })
})

test('splitAmount() gives parts and a remainder that add up to the whole', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 60n }), splits, (amountMinor, shares) => {
      const { parts, remainderMinor } = splitAmount(amountMinor, shares)
      const given = SPLIT_PARTIES.reduce((sum, party) => sum + parts[party], 0n)
      assert.equal(given + remainderMinor, amountMinor)
      assert.ok(remainderMinor >= 0n && remainderMinor <= 4n)
    }),
  )
})

test('splitAmount() gives nobody more than their share, nor a whole minor unit less', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), splits, (amountMinor, shares) => {
      const { parts } = splitAmount(amountMinor, shares)
      for (const party of SPLIT_PARTIES) {
        const exact = amountMinor * BigInt(shares[party])
        assert.ok(parts[party] * 10_000n <= exact && exact < (parts[party] + 1n) * 10_000n)
      }
    }),
  )
})

test('splitsSchema takes only shares that add up to the whole', () => {
  const whole = { issuer: 6_000, issuerProcessor: 0, custodian: 2_000, network: 1_000, subjects: 1_000 }
  assert.equal(splitsSchema.safeParse(whole).success, true)
  for (const party of SPLIT_PARTIES)
    assert.equal(splitsSchema.safeParse({ ...whole, [party]: whole[party] + 1 }).success, false)
  assert.equal(splitsSchema.safeParse({ ...whole, issuer: 7_000, network: -0.5 }).success, false)
})
