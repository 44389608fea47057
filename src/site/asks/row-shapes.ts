import { digestOfJson } from '../../kernel/digest.ts'
import { ok } from '../../kernel/result.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'
import type { CheckedQuery, Expr, Measure, PerPersonSource, Source } from '../query/bound-query.ts'

/**
 * Which rows *within* a person an exact answer is made from, for each data set in which people have several rows.
 *
 * Two answers over the same people that differ by one row of one of them differ by that row. So for one acquirer all
 * exact answers over such a data set have one row shape: the same conditions, groups, filters and nulls on its
 * columns (`docs/explanation/why-answers-cannot-be-combined.md`). The key is the data set and not the summed value,
 * because values can be written in many ways. Conditions on other data sets choose people, which is the partition's
 * to judge. Declines with `declined.differencing` when one question already has two shapes.
 */
export function rowShapesOf({ query, manifests }: CheckedQuery): Outcome<ReadonlyMap<string, string>> {
  const shapes = new Map<string, string>()
  for (const shape of shapesOfLevel(query.sources, { ...query, manifests })) {
    const known = shapes.get(shape.dataSet)
    if (known !== undefined && known !== shape.digest) {
      return declined('declined.differencing', {
        detail: `One answer over "${shape.dataSet}" looks at one choice of rows; ask for the others with a per-person sub-query or leave them out`,
        operatorNote: 'row_shape',
      })
    }
    shapes.set(shape.dataSet, shape.digest)
  }
  return ok(shapes)
}

interface Shape {
  readonly dataSet: string
  readonly digest: string
}

interface Level {
  readonly where: readonly { readonly expr: Expr }[]
  readonly keys: readonly Expr[]
  readonly measures: readonly Pick<Measure, 'kind' | 'argument' | 'filter'>[]
  readonly manifests: ReadonlyMap<string, Manifest>
}

function shapesOfLevel(sources: readonly Source[], level: Level): readonly Shape[] {
  return sources.flatMap((source, index) =>
    source.kind === 'per-person'
      ? shapesOfPerPerson(source, level)
      : shapesOfDataSet(index, { source, level }),
  )
}

function shapesOfPerPerson(
  { sources, where, keys, aggregates }: PerPersonSource,
  { manifests }: Level,
): readonly Shape[] {
  // Rows without a value add nothing to a person's sum, mean or extremes; only a count tells how many there are.
  const measures = aggregates.map(({ function: made, argument, filter }) => ({
    kind: 'count' as const,
    argument: made === 'count' || argument?.kind !== 'column' ? argument : undefined,
    filter,
  }))
  return shapesOfLevel(sources, { where, keys, measures, manifests })
}

function shapesOfDataSet(
  index: number,
  { source, level }: { source: Extract<Source, { kind: 'data-set' }>; level: Level },
): readonly Shape[] {
  const manifest = level.manifests.get(source.dataSet)
  if (manifest && manifest.person.rowsMax === 1) return []
  const chosen = [...level.where.map(({ expr }) => expr), ...level.keys].filter((expr) =>
    readsSource(expr, index),
  )
  return level.measures
    .filter(({ kind }) => kind !== 'people')
    .map(({ argument, filter }) => {
      const filters = filter && readsSource(filter, index) ? [filter] : []
      const shape = [chosen, filters, argument ? rowsOfArgument(argument, { index, manifest }) : null]
      return { dataSet: source.dataSet, digest: digestOfJson(plain(shape)) }
    })
}

/** A column that always has a value takes every row; anything else may leave rows out, so it is part of the shape. */
function rowsOfArgument(
  argument: Expr,
  { index, manifest }: { index: number; manifest: Manifest | undefined },
): Expr | null {
  if (!readsSource(argument, index)) return null
  if (argument.kind !== 'column') return argument
  return manifest?.columns.find(({ name }) => name === argument.column)?.isRequired === true ? null : argument
}

function readsSource(expr: Expr, source: number): boolean {
  switch (expr.kind) {
    case 'column':
    case 'person':
      return expr.source === source
    case 'call':
      return expr.args.some((arg) => readsSource(arg, source))
    case 'case':
      return (
        expr.whens.some(({ when, value }) => readsSource(when, source) || readsSource(value, source)) ||
        (expr.otherwise !== undefined && readsSource(expr.otherwise, source))
      )
    case 'literal':
    case 'key':
    case 'measure':
      return false
  }
}

/** The same without what has no JSON form: infinite ends of ranges do not matter to which rows are taken. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, inner: unknown) => (key === 'range' ? undefined : inner)))
}
