import { CASTS } from './catalogue-casts.ts'
import { CONDITIONS } from './catalogue-conditions.ts'
import { FUNCTIONS } from './catalogue-functions.ts'
import { JSON_CALLS } from './catalogue-json.ts'
import { LIST_CALLS } from './catalogue-lists.ts'
import { MATHS } from './catalogue-maths.ts'
import { OPERATORS } from './catalogue-operators.ts'
import { PATTERNS } from './catalogue-patterns.ts'
import type { CatalogueRow } from './catalogue-row.ts'
import { TEXTS } from './catalogue-texts.ts'

/**
 * Everything that may be computed, a row for each list of argument types, with its form per engine: the allow list.
 * Each row is tested to give the same answer on both engines.
 */
export const CATALOGUE = {
  ...OPERATORS,
  ...CONDITIONS,
  ...CASTS,
  ...FUNCTIONS,
  ...MATHS,
  ...TEXTS,
  ...PATTERNS,
  ...JSON_CALLS,
  ...LIST_CALLS,
} as const

export type CallId = keyof typeof CATALOGUE

/** The row of a call. */
export function catalogueRow(id: CallId): CatalogueRow {
  return CATALOGUE[id]
}

/** All rows, in the order of the tables. */
export const CALL_IDS: readonly CallId[] = Object.keys(CATALOGUE).filter(isCallId)

const idsByName = new Map<string, CallId[]>()
for (const id of CALL_IDS) {
  for (const name of catalogueRow(id).names) idsByName.set(name, [...(idsByName.get(name) ?? []), id])
}

/** The rows that a function's or operator's name may mean, in the order of the table. */
export function callsNamed(name: string): readonly CallId[] {
  return idsByName.get(name) ?? []
}

function isCallId(id: string): id is CallId {
  return Object.hasOwn(CATALOGUE, id)
}
