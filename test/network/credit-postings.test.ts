import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { creditPostings } from '../../src/network/disputes/credit-postings.ts'
import type { Credit } from '../../src/network/disputes/credit-postings.ts'

const someShares = fc
  .array(
    fc.record({
      sharedMinor: fc.bigInt({ min: 0n, max: 10_000n }),
      earnedMinor: fc.bigInt({ min: 0n, max: 10_000n }),
      fundsMinor: fc.bigInt({ min: 0n, max: 10_000n }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((drawn) => drawn.map((one, index) => ({ ...one, owner: `owner-${index}` })))
const someAmount = fc.bigInt({ min: 1n, max: 20_000n })
const creditOf = (acquirer: string, more: Pick<Credit, 'shares' | 'amountMinor'>) =>
  creditPostings({ dispute: 'd', ask: 'a', site: 's', acquirer, currency: 'EUR', ...more })

test('creditPostings() adds up to what goes back, and takes from nobody what is not there', () => {
  fc.assert(
    fc.property(someShares, someAmount, (shares, amountMinor) => {
      const { postings, short } = creditOf('acquirer', { shares, amountMinor })
      assert.equal(
        postings.reduce((sum, posting) => sum + posting.amountMinor, 0n),
        amountMinor,
      )
      for (const { owner, earnedMinor, fundsMinor } of shares.filter((one) => !short.includes(one.owner)))
        for (const { debit, amountMinor: taken } of postings.filter((one) => one.debit.owner === owner))
          assert.ok(taken >= 0n && taken <= (debit.kind === 'earned' ? earnedMinor : fundsMinor))
    }),
  )
})

test('creditPostings() books nothing from an account to itself, and of an acquirer that shared nothing else changes', () => {
  fc.assert(
    fc.property(someShares, someAmount, fc.nat(4), (shares, amountMinor, position) => {
      const sharer = `owner-${position}`
      const own = creditOf(sharer, { shares, amountMinor })
      const others = creditOf('acquirer', { shares, amountMinor })
      const toSharer = others.postings.map((one) => ({ ...one, credit: { ...one.credit, owner: sharer } }))
      assert.deepEqual(
        own.postings,
        toSharer.filter(({ debit }) => debit.owner !== sharer || debit.kind !== 'funds'),
      )
      assert.deepEqual(
        own.short,
        others.short.filter((owner) => owner !== sharer),
      )
    }),
  )
})
