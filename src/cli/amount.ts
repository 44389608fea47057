import { CURRENCIES } from '../kernel/currency.ts'
import { parseMoney } from '../kernel/money.ts'
import type { Money } from '../kernel/money.ts'
import { WrongUse } from './failures.ts'

/** Reads an amount above zero as it was typed, such as `12.50EUR`. */
export function amountOf(text: string): Money {
  const amount = parseMoney(text)
  if (!amount)
    throw new WrongUse(
      `Cannot use "${text}" as an amount: expected one such as 12.50EUR, in ${Object.keys(CURRENCIES).join(', ')}`,
    )
  if (amount.amountMinor <= 0n) throw new WrongUse(notAboveZero(text))
  if (amount.amountMinor > Number.MAX_SAFE_INTEGER)
    throw new WrongUse(`Cannot use "${text}" as an amount: it is more than any account holds`)
  return amount
}

/** The same complaint, where something that begins with a hyphen was taken for an option that there is not. */
export function complaintOf(text: string): string {
  const typed = /^error: unknown option '(-.*)'/.exec(text)?.[1]
  return typed === undefined || !parseMoney(typed) ? text : `${notAboveZero(typed)}\n`
}

function notAboveZero(text: string): string {
  return `Cannot use "${text}" as an amount: it must be above zero`
}
