import { call } from './build-expression.ts'
import type { Term } from './build-expression.ts'

/** Functions and the operator that put texts together: they take whole numbers and days as the texts that these are cast to. */
export function isJoined(name: string): boolean {
  return name === 'concat' || name === 'concat_ws' || name === '||'
}

/** A whole number or a day as its text; anything else as it is. */
export function asText(term: Term): Term {
  if (term.kind === 'untyped') return term
  if (term.type === 'integer') return call('cast_integer_text', [term])
  return term.type === 'date' ? call('cast_date_text', [term]) : term
}

/** Beside a text, and only there, an operator joins. */
export function isText(term: Term): boolean {
  return term.kind === 'untyped' || term.type === 'text'
}
