/** How somebody is reached, as far as a text shows it by its form. */
export type ContactInText = 'an e-mail address' | 'a telephone number'

const EMAIL = /[^\s@<>"'(),;:]+@[^\s@<>"'(),;:]+\.\p{L}{2,}/u
/** Days and hours, which have digits and full stops as well. */
const DATES = /(?<!\d)(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:\d{4}|\d{2}))(?!\d)/gu
/** From abroad (`+49 30 1234567`) or with a trunk prefix (`030/123 45 67`); not the inside of an id, an amount, or 0.25. */
const PREFIXED = /(?<![\p{L}\p{N}_.,:-])(?:\+|\(?0\d)[\d\s()./-]*\d(?![\p{L}\p{N}_])/gu
/** As in North America. */
const GROUPED = /(?<![\p{L}\p{N}_])\(?\d{3}\)?[-.\s]\s?\d{3}[-.\s]\d{4}(?![\p{L}\p{N}_])/u
/** Said to be one, by a whole word: telemetry and mobility have numbers too. */
const CALLED =
  /(?:\btel|phones?|fon[oe]?|\bmobile?|\bhandys?|\bcell)(?:funk)?(?:nummern?)?\b\P{N}{0,12}\d[\d\s()./-]{3,}\d/giu
/** Digits at least: shorter ones reach nobody from outside, or are an amount. */
const DIGITS_MIN = { prefixed: 7, called: 6 }

/**
 * What in a text looks like an e-mail address or a telephone number. A name it does not find, and numbers that are written otherwise
 * neither: it catches what is written without a thought.
 */
export function contactInText(text: string): ContactInText | undefined {
  const plain = text.normalize('NFKC')
  if (EMAIL.test(plain)) return 'an e-mail address'
  const undated = plain.replaceAll(DATES, ' ; ')
  const isLong = (form: RegExp, digitsMin: number) =>
    (undated.match(form) ?? []).some((found) => digitsIn(found) >= digitsMin)
  const isNumber =
    isLong(PREFIXED, DIGITS_MIN.prefixed) || GROUPED.test(undated) || isLong(CALLED, DIGITS_MIN.called)
  return isNumber ? 'a telephone number' : undefined
}

function digitsIn(text: string): number {
  return text.replaceAll(/\D/gu, '').length
}
