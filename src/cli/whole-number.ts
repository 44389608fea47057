import { WrongUse } from './failures.ts'

/** A whole number as it was typed. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new WrongUse(`Cannot use "${text}": expected a whole number of 0 or more`)
  return Number(text)
}
