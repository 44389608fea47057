import type { Column, Manifest } from '../../../protocol/data-set.ts'
import type { ReleaseValue } from '../../../protocol/release.ts'
import type { BoundQuery, Expr, Source } from '../bound/bound-query.ts'

/** Most values of one key, and most groups, that are listed before data is looked at; more are found in the data. */
const KEY_VALUES_MAX = 200
const GROUPS_MAX = 1_000

/**
 * The keys of all groups that a question can have, where every key has values that the manifest lists: a text with
 * `values`, a truth value, a whole number whose bounds are not far apart. Which groups there are is then public, so that all
 * of them may be shown, the empty ones too. `undefined`: the keys come from the data. Without keys there is one group.
 */
export function publicGroups(
  { keys, sources }: Pick<BoundQuery, 'keys' | 'sources'>,
  manifests: ReadonlyMap<string, Manifest>,
): readonly (readonly ReleaseValue[])[] | undefined {
  let groups: readonly (readonly ReleaseValue[])[] = [[]]
  for (const key of keys) {
    const values = valuesOf(key, sources, manifests)
    if (values === undefined || groups.length * values.length > GROUPS_MAX) return undefined
    groups = groups.flatMap((group) => values.map((value) => [...group, value]))
  }
  return groups
}

function valuesOf(
  key: Expr,
  sources: readonly Source[],
  manifests: ReadonlyMap<string, Manifest>,
): readonly ReleaseValue[] | undefined {
  const column = columnOf(key, sources, manifests)
  const values =
    (column?.type === 'text' ? column.values : undefined) ??
    (key.type === 'boolean' ? [false, true] : wholeValues(key))
  if (values === undefined || values.length > KEY_VALUES_MAX) return undefined
  return column?.isRequired === true ? values : [...values, null]
}

function columnOf(
  key: Expr,
  sources: readonly Source[],
  manifests: ReadonlyMap<string, Manifest>,
): Column | undefined {
  if (key.kind !== 'column') return undefined
  const source = sources[key.source]
  return source?.kind === 'data-set'
    ? manifests.get(source.dataSet)?.columns.find(({ name }) => name === key.column)
    : undefined
}

function wholeValues({ type, range }: Expr): readonly number[] | undefined {
  if (type !== 'integer' || range === undefined) return undefined
  const { least, greatest } = range
  if (!(greatest - least < KEY_VALUES_MAX)) return undefined
  const from = Math.ceil(least)
  return Array.from({ length: Math.floor(greatest) - from + 1 }, (_, index) => from + index)
}
