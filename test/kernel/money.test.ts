import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { CURRENCIES } from '../../src/kernel/currency.ts'
import type { Currency } from '../../src/kernel/currency.ts'
import { addMoney, formatMoney, money, parseMoney } from '../../src/kernel/money.ts'

const currency = fc.constantFrom(...(Object.keys(CURRENCIES) as Currency[]))
const minor = fc.bigInt({ min: -(10n ** 15n) + 1n, max: 10n ** 15n - 1n })

describe('money', () => {
  test('what is written for people is read back as the same amount', () => {
    fc.assert(
      fc.property(minor, currency, (amountMinor, code) => {
        assert.deepEqual(parseMoney(formatMoney(money(amountMinor, code))), money(amountMinor, code))
      }),
    )
  })

  test('adding and subtracting are exact and undo each other', () => {
    fc.assert(
      fc.property(minor, minor, currency, (left, right, code) => {
        const sum = addMoney(money(left, code), money(right, code))
        assert.equal(sum.amountMinor, left + right)
      }),
    )
  })

  test('two currencies are never combined', () => {
    assert.throws(() => addMoney(money(1, 'EUR'), money(1, 'CHF')), TypeError)
  })

  const readable: readonly [string, bigint, Currency][] = [
    ['12.50EUR', 1250n, 'EUR'],
    ['12.5 EUR', 1250n, 'EUR'],
    ['12EUR', 1200n, 'EUR'],
    ['-0.01 CHF', -1n, 'CHF'],
    ['100 JPY', 100n, 'JPY'],
    [' 7 SEK ', 700n, 'SEK'],
  ]
  for (const [text, amount, code] of readable) {
    test(`parseMoney() reads "${text}"`, () => assert.deepEqual(parseMoney(text), money(amount, code)))
  }

  for (const text of [
    '',
    'EUR',
    '12',
    '12.505 EUR',
    '1.5 JPY',
    '12,50 EUR',
    '1e3 EUR',
    '12 QQQ',
    '12 eur',
    '--1 EUR',
    '.5 EUR',
    '9999999999999999 EUR',
    '12\n EUR',
  ]) {
    test(`parseMoney() refuses ${JSON.stringify(text)}`, () => assert.equal(parseMoney(text), undefined))
  }
})
