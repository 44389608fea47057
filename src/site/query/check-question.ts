import type { Manifest } from '../../protocol/data-set.ts'
import type { Mode } from '../../protocol/mode.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'
import type { CheckedQuery } from './bound-query.ts'

/** A value for `$1`, `$2`, … of the text. */
export type QuestionParameter = string | number | boolean | null

export interface QuestionContext {
  readonly mode: Mode
  /** The data sets that the question may name, by their names. */
  readonly dataSets: ReadonlyMap<string, Manifest>
  readonly parameters?: readonly QuestionParameter[]
}

/** Loads the grammar; once, before the first question. */
export async function loadGrammar(): Promise<void> {}

/**
 * Understands a question or declines it: `declined.mode`, `declined.too_large`, `declined.sql_syntax`,
 * `declined.sql_not_supported`, `declined.sql_function`, `declined.column`. Positions count characters from 1.
 */
export function checkQuestion(_text: string, _context: QuestionContext): Outcome<CheckedQuery> {
  return declined('declined.sql_not_supported')
}
