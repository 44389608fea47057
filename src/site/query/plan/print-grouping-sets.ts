import type { BoundQuery } from '../bound/bound-query.ts'
import type { Text } from '../catalogue/forms.ts'

/**
 * Each row once for each set of groups, with the keys that the set has: so every set is guarded like a question. `keys` are
 * the printed keys; what comes back is joined to the rows.
 */
export function printGroupingSets(
  { keys, groupingSets }: Pick<BoundQuery, 'keys' | 'groupingSets'>,
  printed: readonly Text[],
): { readonly keys: readonly Text[]; readonly join: Text } {
  if (groupingSets === undefined) return { keys: printed, join: '' }
  const numbers = groupingSets.map((_, number) => `(cast(${number} as bigint))`)
  return {
    keys: keys.map((_, index) => {
      if (index === keys.length - 1) return `"g"."g" as "k${index}"`
      const having = groupingSets.flatMap((set, number) => (set.includes(index) ? [number] : []))
      const value = (printed[index] ?? '').replace(/ as "k\d+"$/, '')
      return `case when "g"."g" in (${having.join(', ')}) then ${value} end as "k${index}"`
    }),
    join: ` cross join (values ${numbers.join(', ')}) as "g" ("g")`,
  }
}
