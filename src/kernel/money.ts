import { CURRENCIES, isCurrency } from './currency.ts'
import type { Currency } from './currency.ts'

/** An amount of money: a whole number of minor units (cents) with its currency. Never a float. */
export interface Money {
  readonly amountMinor: bigint
  readonly currency: Currency
}

/** Makes an amount from minor units. */
export function money(amountMinor: bigint | number, currency: Currency): Money {
  return { amountMinor: BigInt(amountMinor), currency }
}

/** The sum of two amounts of one currency; two currencies are a bug of the caller. */
export function addMoney(left: Money, right: Money): Money {
  requireSameCurrency(left, right)
  return { amountMinor: left.amountMinor + right.amountMinor, currency: left.currency }
}

/** For people: `12.50 EUR`. */
export function formatMoney({ amountMinor, currency }: Money): string {
  const digits = CURRENCIES[currency]
  const sign = amountMinor < 0n ? '-' : ''
  const text = (amountMinor < 0n ? -amountMinor : amountMinor).toString().padStart(digits + 1, '0')
  const whole = text.slice(0, text.length - digits)
  return digits === 0 ? `${sign}${whole} ${currency}` : `${sign}${whole}.${text.slice(-digits)} ${currency}`
}

/** Reads `12.50EUR`, `12.50 EUR` or `12EUR`; `undefined` when it is no amount of a known currency. */
export function parseMoney(text: string): Money | undefined {
  const match = /^(-?)(\d{1,15})(?:\.(\d{1,4}))? ?([A-Z]{3})$/.exec(text.trim())
  if (!match) return undefined
  const [, sign = '', whole = '', fraction = '', currency = ''] = match
  if (!isCurrency(currency) || fraction.length > CURRENCIES[currency]) return undefined
  const amountMinor = BigInt(whole + fraction.padEnd(CURRENCIES[currency], '0'))
  return { amountMinor: sign === '-' ? -amountMinor : amountMinor, currency }
}

function requireSameCurrency(left: Money, right: Money): void {
  if (left.currency !== right.currency) {
    throw new TypeError(`Cannot combine ${left.currency} with ${right.currency}`)
  }
}
