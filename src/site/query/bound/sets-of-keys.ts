import type { BoundQuery, Expr } from './bound-query.ts'

/** What each of a question's sets of groups is grouped by: the total of a ROLLUP, by nothing. */
export function setsOfKeys({
  keys,
  groupingSets,
}: Pick<BoundQuery, 'keys' | 'groupingSets'>): readonly (readonly Expr[])[] {
  return groupingSets?.map((set) => set.flatMap((index) => keys[index] ?? [])) ?? [keys]
}
