import type { PrivacyRequest } from '../../../protocol/ask.ts'
import { privateTermsOf } from '../../../protocol/data-set.ts'
import type { Manifest } from '../../../protocol/data-set.ts'
import type { ReleaseValue } from '../../../protocol/release.ts'
import type { BoundQuery, CheckedQuery, Expr, Measure, Source } from '../bound/bound-query.ts'
import { isOfSquares } from './aggregate-series.ts'
import { gridOf, placesOf, reachOf } from './private-grid.ts'
import type { Grid, Places } from './private-grid.ts'
import { publicGroups } from './public-groups.ts'
import { sameOptional } from '../bound/same-expression.ts'

/** What is collected of one argument and filter, in whole numbers: rows, the sum of distances to the middle, and of their squares. */
export interface PrivateSeries {
  readonly argument?: Expr | undefined
  readonly filter?: Expr | undefined
  readonly isOfPeople: boolean
  readonly grid?: Grid | undefined
  readonly needsSquares: boolean
}

/**
 * A figure that is made noisy once and that everything shown is computed from. `people` are those of the row;
 * `distances` are to the middle of the bounds, which one person can change by half as much as a sum of values.
 */
export type PrivateFigure =
  | { readonly kind: 'whole' }
  | { readonly kind: 'people' }
  | { readonly kind: 'rows' | 'sum' | 'distances' | 'squares'; readonly series: number }
  | {
      readonly kind: 'place'
      readonly series: number
      readonly quantileMicro: number
      readonly places: Places
    }

/** How much of one person counts: fixed by the terms and the ask, never by the data. */
export interface ContributionBounds {
  /** Most rows in one group. */
  readonly rowsMax: number
  readonly groupsMax: number
}

/** A question of mode `private`, taken apart into figures: no data is looked at. */
export interface PrivateDesign {
  readonly checked: CheckedQuery
  readonly bounds: ContributionBounds
  readonly minimumGroup: number
  readonly series: readonly PrivateSeries[]
  /** For each measure of the question its series. */
  readonly seriesOf: readonly number[]
  readonly figures: readonly PrivateFigure[]
  /** The keys of all groups that there can be, where the manifest says so; then all are shown, and none for its size left out. */
  readonly groups?: readonly (readonly ReleaseValue[])[] | undefined
}

/** Rows of one person in one group that count, unless the ask says otherwise. */
const ROWS_DEFAULT = 10
const GROUPS_DEFAULT = 1

/** Takes a checked question apart. */
export function designPrivate(
  checked: CheckedQuery,
  { privacy = {}, minimumGroup }: { privacy?: Partial<PrivacyRequest> | undefined; minimumGroup: number },
): PrivateDesign {
  const { query, manifests } = checked
  // Which groups there are is the sets' to say, and they are not all of the values that keys can have.
  const groups = query.groupingSets ? undefined : publicGroups(query, manifests)
  const bounds = boundsOf(checked, { privacy, groupCount: query.keys.length === 0 ? 1 : groups?.length })
  const { series, seriesOf } = seriesOfMeasures(query.measures, bounds)
  const isCounted = series.some((one) => isOfRow(one)) || (query.keys.length > 0 && groups === undefined)
  const figures: PrivateFigure[] = [
    { kind: 'whole' },
    ...(isCounted ? [{ kind: 'people' } as const] : []),
    ...series.flatMap((one, index) => figuresOf(one, { index, query, seriesOf })),
  ]
  return { checked, bounds, minimumGroup, series, seriesOf, figures, groups }
}

/** People of the row, all of them. */
export function isOfRow({ isOfPeople, filter }: PrivateSeries): boolean {
  return isOfPeople && filter === undefined
}

function boundsOf(
  { query, manifests }: CheckedQuery,
  { privacy, groupCount }: { privacy: Partial<PrivacyRequest>; groupCount: number | undefined },
): ContributionBounds {
  const rows = rowsPerPerson(query.sources, manifests)
  const terms = [...manifests.values()].map(privateTermsOf)
  const rowsMost = Math.min(rows, ...terms.map(({ rowsPerPersonMax }) => rowsPerPersonMax))
  const groupsMost = Math.min(
    rows * (query.groupingSets?.length ?? 1),
    groupCount ?? Number.POSITIVE_INFINITY,
    ...terms.map(({ groupsPerPersonMax }) => groupsPerPersonMax),
  )
  // One of each set: a total would else be of whoever happens to count there.
  const groupsDefault = GROUPS_DEFAULT * (query.groupingSets?.length ?? 1)
  return {
    rowsMax: Math.min(privacy.rowsPerPerson ?? ROWS_DEFAULT, rowsMost),
    groupsMax: Math.min(privacy.groupsPerPerson ?? groupsDefault, groupsMost),
  }
}

/** Most rows of one person that the manifests allow behind a question. */
function rowsPerPerson(sources: readonly Source[], manifests: ReadonlyMap<string, Manifest>): number {
  return sources.reduce((product, source) => {
    if (source.kind === 'outer') return product
    if (source.kind === 'rows') return product * rowsPerPerson(source.sources, manifests)
    if (source.kind === 'per-person')
      return product * (source.keys.length === 0 ? 1 : rowsPerPerson(source.sources, manifests))
    return product * (manifests.get(source.dataSet)?.person.rowsMax ?? 1_000)
  }, 1)
}

function seriesOfMeasures(
  measures: readonly Measure[],
  { rowsMax }: ContributionBounds,
): Pick<PrivateDesign, 'series' | 'seriesOf'> {
  const found: Measure[][] = []
  const seriesOf = measures.map((measure) => {
    const known = found.findIndex(
      ([one]) =>
        one !== undefined &&
        isOfPeople(one, rowsMax) === isOfPeople(measure, rowsMax) &&
        sameOptional(one.argument, measure.argument) &&
        sameOptional(one.filter, measure.filter),
    )
    if (known < 0) return found.push([measure]) - 1
    found[known]?.push(measure)
    return known
  })
  return { series: found.map((alike) => seriesOfAlike(alike, rowsMax)), seriesOf }
}

/** Where each person has one row, counting rows is counting people. */
function isOfPeople({ kind, argument }: Measure, rowsMax: number): boolean {
  return kind === 'people' || (kind === 'count' && argument === undefined && rowsMax === 1)
}

function seriesOfAlike(measures: readonly Measure[], rowsMax: number): PrivateSeries {
  const [first] = measures
  const clamp = measures.find((measure) => measure.clamp)?.clamp
  return {
    argument: first?.argument,
    filter: first?.filter,
    isOfPeople: first !== undefined && isOfPeople(first, rowsMax),
    grid: clamp && gridOf(clamp, first?.argument?.type === 'integer'),
    needsSquares: measures.some(({ kind }) => isOfSquares(kind)),
  }
}

function figuresOf(
  series: PrivateSeries,
  { index, query, seriesOf }: { index: number; query: BoundQuery } & Pick<PrivateDesign, 'seriesOf'>,
): readonly PrivateFigure[] {
  if (isOfRow(series)) return []
  const measures = query.measures.filter((_, measure) => seriesOf[measure] === index)
  const kinds = new Set(measures.map(({ kind }) => kind))
  const isDivided = series.needsSquares || kinds.has('avg')
  const isCounted = isDivided || kinds.has('count') || kinds.has('people')
  const { grid } = series
  return [
    ...(isCounted ? [{ kind: 'rows', series: index } as const] : []),
    ...(isDivided ? [{ kind: 'distances', series: index } as const] : []),
    ...((kinds.has('sum') || kinds.has('covar_pop')) && !isDivided
      ? [{ kind: 'sum', series: index } as const]
      : []),
    ...(series.needsSquares ? [{ kind: 'squares', series: index } as const] : []),
    ...measures.flatMap(({ quantileMicro, argument }): readonly PrivateFigure[] =>
      quantileMicro === undefined || grid === undefined
        ? []
        : [
            {
              kind: 'place',
              series: index,
              quantileMicro,
              places: placesOf(grid, argument?.type === 'integer'),
            },
          ],
    ),
  ]
}

/** What a person's row weighs in a quantile: parts of it, because whoever has too many rows counts with less of each. */
export const ROW_WEIGHT = 65_536n

/** By how much one person can change a figure within one group. */
export function sensitivityOf(figure: PrivateFigure, { series, bounds }: PrivateDesign): bigint {
  if (figure.kind === 'whole' || figure.kind === 'people') return 1n
  const one = series[figure.series]
  const rows = one?.isOfPeople === true ? 1n : BigInt(bounds.rowsMax)
  if (figure.kind === 'rows') return rows
  if (one?.grid === undefined) throw new Error('Cannot bound a figure: it has no grid')
  const { value, distance } = reachOf(one.grid)
  switch (figure.kind) {
    case 'sum':
      return rows * value
    case 'distances':
      return rows * distance
    case 'squares':
      return rows * (distance * distance - middleSquare(one.grid))
    case 'place': {
      const below = BigInt(figure.quantileMicro)
      const above = 1_000_000n - below
      return rows * ROW_WEIGHT * (below > above ? below : above)
    }
  }
}

/** What is taken off each square, so that one person changes their sum by half as much. */
export function middleSquare(grid: Grid): bigint {
  const { distance } = reachOf(grid)
  return (distance * distance) / 2n
}
