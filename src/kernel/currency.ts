/** ISO 4217 alphabetic codes that Hedgerow settles in, with the number of digits of their minor unit. */
export const CURRENCIES = { EUR: 2, CHF: 2, GBP: 2, USD: 2, SEK: 2, JPY: 0 } as const

export type Currency = keyof typeof CURRENCIES

export function isCurrency(text: string): text is Currency {
  return Object.hasOwn(CURRENCIES, text)
}
