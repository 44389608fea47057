import { Bitset } from '../../../kernel/bitset.ts'
import { LIMITS } from '../../../kernel/limits.ts'
import { ok } from '../../../kernel/result.ts'
import { declined } from '../../../protocol/reason.ts'
import type { Outcome } from '../../../protocol/reason.ts'
import type { ReleaseValue } from '../../../protocol/release.ts'
import type { CollectedGroup, CollectedMeasure } from '../../guard/collected-group.ts'
import type { VaultResult, VaultValue } from '../../vault/vault.ts'
import type { Measure } from '../bound/bound-query.ts'
import { compareKeys } from './compare-keys.ts'
import { holdsZero, isOfSquares } from '../plan/aggregate-series.ts'
import { SERIES_COLUMNS, SETS_AT_ONCE, SHARE_COLUMNS } from '../plan/plan-aggregate.ts'
import type { Series } from '../plan/aggregate-series.ts'
import type { AggregatePlan } from '../plan/plan-aggregate.ts'
import type { QueryRunner } from '../plan/plan-context.ts'
import { toReleased } from './released-value.ts'

/** One series of one group as the engine gave it. */
interface SeriesState {
  readonly rows: number
  readonly nonZeroRows: number
  readonly sum: number
  readonly absoluteSum: number
  readonly squares: number
  /** Those with a value, and those with one that is not 0; absent until they are known. */
  withValue: Bitset | undefined
  nonZero: Bitset | undefined
  largestRows: number
  largestSum: number
  /** Of the squares, where they are summed. */
  largestSquares: number
}

interface GroupState {
  readonly keys: readonly ReleaseValue[]
  readonly rows: number
  readonly people: Bitset
  readonly series: readonly SeriesState[]
}

/**
 * Collects the groups of a question with everybody who stands behind each and behind each of their measures. Nothing
 * of it has been guarded: it must not leave the process.
 *
 * One statement is enough when the sets of the measures are those of the rows, which the counts tell; others ask for
 * what they do not tell, some at a time; a last one finds the largest contributions of one person, only where a bound on them does not settle it.
 */
export async function collectGroups(
  plan: AggregatePlan,
  runner: QueryRunner,
  { dominanceBp }: { readonly dominanceBp: number },
): Promise<Outcome<readonly CollectedGroup[]>> {
  const collected = await runner.run(plan.collect)
  if (!collected.ok) return collected
  if (collected.value.rowCount > plan.groupsMax)
    return declined('declined.too_large', {
      detail: `The question has more than ${plan.groupsMax} groups${plan.groupsMax < LIMITS.queryGroupsMax ? ', which is the most for so many sums and counts' : ''}`,
    })
  const groups = readGroups(plan, collected.value)
  takeSetsOfRows(groups)
  const sets = await completeSets(plan, runner, groups)
  if (!sets.ok) return sets
  const shares = await completeShares(plan, runner, { groups, dominanceBp })
  if (!shares.ok) return shares
  return ok(groups.toSorted((a, b) => compareKeys(a.keys, b.keys)).map((group) => toCollected(plan, group)))
}

function readGroups(plan: AggregatePlan, result: VaultResult): readonly GroupState[] {
  const { keys } = plan.checked.query
  const column = columnReader(result)
  const keyColumns = keys.map((_, index) => column(index))
  const rowCounts = column(keys.length)
  const people = result.sets(keys.length + 1)
  const figures = plan.series.map((_, series) =>
    SERIES_COLUMNS.map((_name, offset) => column(keys.length + 2 + series * SERIES_COLUMNS.length + offset)),
  )
  const setColumns = readSetColumns(plan.series, {
    result,
    from: keys.length + 2 + plan.series.length * SERIES_COLUMNS.length,
  })
  return Array.from({ length: result.rowCount }, (_, row) => {
    const rowsOfGroup = toNumber(rowCounts[row])
    return {
      keys: keys.map(({ type }, index) => toReleased(keyColumns[index]?.[row], type)),
      rows: rowsOfGroup,
      people: people[row] ?? new Bitset(),
      series: figures.map((columns, series) => {
        const [rows = 0, counted = 0, sum = 0, absolute = 0, squares = 0] = columns.map((values) =>
          toNumber(values[row]),
        )
        const sets = setColumns[series]
        const clamp = plan.series[series]?.clamp
        const nonZeroRows = clamp && holdsZero(clamp) ? counted : rows
        return {
          rows,
          nonZeroRows,
          sum,
          absoluteSum: (clamp?.least ?? 0) >= 0 ? sum : absolute,
          squares,
          // Where they are those of the group no set is read.
          withValue: rows === rowsOfGroup ? undefined : sets?.withValue()?.[row],
          nonZero: nonZeroRows === rowsOfGroup ? undefined : sets?.nonZero()?.[row],
          largestRows: Number.POSITIVE_INFINITY,
          largestSum: Number.POSITIVE_INFINITY,
          largestSquares: Number.POSITIVE_INFINITY,
        }
      }),
    }
  })
}

type Values = readonly VaultValue[]
type Sets = readonly Bitset[]

/** Read when they are asked for. */
interface SetColumns {
  readonly withValue: () => Sets | undefined
  readonly nonZero: () => Sets | undefined
}

interface SetReading {
  readonly result: VaultResult
  readonly from: number
}

/** Sets stand behind the figures: none, one or two columns for each series. */
function readSetColumns(series: readonly Series[], { result, from }: SetReading): readonly SetColumns[] {
  let next = from
  const take = (isThere: boolean): (() => Sets | undefined) => {
    if (!isThere) return () => undefined
    const column = next
    next += 1
    let read: Sets | undefined
    return () => (read ??= result.sets(column))
  }
  return series.map(({ asksWithValue, asksNonZero }) => ({
    withValue: take(asksWithValue),
    nonZero: take(asksNonZero),
  }))
}

function columnReader(result: VaultResult): (index: number) => Values {
  return (index) => result.column(index)
}

function toNumber(value: VaultValue | undefined): number {
  return value === null || value === undefined ? 0 : Number(value)
}

/** Where every row has a value, or one that is not 0, its people are those of the row; where none has, they are nobody. */
function takeSetsOfRows(groups: readonly GroupState[]): void {
  for (const { rows, people, series } of groups) {
    for (const state of series) {
      state.withValue = state.rows === rows ? people : state.rows === 0 ? new Bitset() : state.withValue
      state.nonZero =
        state.nonZeroRows === rows
          ? people
          : state.nonZeroRows === 0
            ? new Bitset()
            : state.nonZeroRows === state.rows
              ? state.withValue
              : state.nonZero
    }
  }
}

async function completeSets(
  plan: AggregatePlan,
  runner: QueryRunner,
  groups: readonly GroupState[],
): Promise<Outcome<undefined>> {
  const wanted = plan.series.flatMap((one, index) =>
    groups.some(({ series }) => lacksSet(series[index], one)) ? [index] : [],
  )
  for (let from = 0; from < wanted.length; from += SETS_AT_ONCE) {
    const some = wanted.slice(from, from + SETS_AT_ONCE)
    const result = await runner.run(plan.collectSets(some))
    if (!result.ok) return result
    takeSets(plan, result.value, { groups, wanted: some })
  }
  return ok(undefined)
}

function takeSets(
  plan: AggregatePlan,
  result: VaultResult,
  { groups, wanted }: { readonly groups: readonly GroupState[]; readonly wanted: readonly number[] },
): void {
  const byKey = new Map(groups.map((group) => [keyText(group.keys), group]))
  const { keys } = plan.checked.query
  const column = columnReader(result)
  const keyColumns = keys.map((_, index) => column(index))
  let next = keys.length
  for (const index of wanted) {
    const clamp = plan.series[index]?.clamp
    const withValue = result.sets(next)
    const nonZero = clamp && holdsZero(clamp) ? result.sets(next + 1) : withValue
    next += nonZero === withValue ? 1 : 2
    for (let row = 0; row < result.rowCount; row += 1) {
      const state = byKey.get(keyText(keys.map(({ type }, key) => toReleased(keyColumns[key]?.[row], type))))
        ?.series[index]
      if (state === undefined) continue
      state.withValue ??= withValue[row]
      state.nonZero ??= nonZero === withValue ? state.withValue : nonZero[row]
    }
  }
}

function lacksSet(state: SeriesState | undefined, { clamp }: Series): boolean {
  return (
    state !== undefined &&
    (state.withValue === undefined || (clamp !== undefined && state.nonZero === undefined))
  )
}

function keyText(keys: readonly ReleaseValue[]): string {
  return JSON.stringify(keys)
}

interface ShareFacts {
  readonly groups: readonly GroupState[]
  readonly dominanceBp: number
}

/**
 * The largest contribution of one person. Rows times the greatest magnitude of the bounds is never below it, so where
 * even that is within the allowed share it stands for it, and nobody is added up one by one.
 */
async function completeShares(
  plan: AggregatePlan,
  runner: QueryRunner,
  { groups, dominanceBp }: ShareFacts,
): Promise<Outcome<undefined>> {
  let isSettled = true
  const rowsMax = plan.rowsPerPersonMax
  for (const { series } of groups) {
    for (const [index, state] of series.entries()) {
      const { clamp, needsSquares } = plan.series[index] ?? {}
      state.largestRows = Math.min(rowsMax, state.rows)
      if (!isWithinShare(state.largestRows, state.rows, dominanceBp) && rowsMax > 1) isSettled = false
      if (clamp === undefined) continue
      const reach = Math.max(Math.abs(clamp.least), Math.abs(clamp.greatest))
      state.largestSum = Math.min(rowsMax * reach, state.absoluteSum)
      if (!isWithinShare(state.largestSum, state.absoluteSum, dominanceBp)) isSettled = false
      state.largestSquares = Math.min(rowsMax * reach * reach, state.squares)
      if (needsSquares && !isWithinShare(state.largestSquares, state.squares, dominanceBp)) isSettled = false
    }
  }
  if (isSettled) return ok(undefined)
  const result = await runner.run(plan.exactShares())
  if (!result.ok) return result
  takeShares(plan, result.value, groups)
  return ok(undefined)
}

function isWithinShare(largest: number, total: number, dominanceBp: number): boolean {
  return largest * 10_000 <= total * dominanceBp
}

function takeShares(plan: AggregatePlan, result: VaultResult, groups: readonly GroupState[]): void {
  const byKey = new Map(groups.map((group) => [keyText(group.keys), group]))
  const { keys } = plan.checked.query
  const column = columnReader(result)
  const keyColumns = keys.map((_, index) => column(index))
  for (let row = 0; row < result.rowCount; row += 1) {
    const group = byKey.get(keyText(keys.map(({ type }, key) => toReleased(keyColumns[key]?.[row], type))))
    for (const [index, state] of (group?.series ?? []).entries()) {
      const [rows, sum, squares] = SHARE_COLUMNS.map((_name, offset) =>
        toNumber(column(keys.length + index * SHARE_COLUMNS.length + offset)[row]),
      )
      state.largestRows = rows ?? Number.POSITIVE_INFINITY
      state.largestSum = sum ?? Number.POSITIVE_INFINITY
      state.largestSquares = squares ?? Number.POSITIVE_INFINITY
    }
  }
}

function toCollected(plan: AggregatePlan, group: GroupState): CollectedGroup {
  return {
    keys: group.keys,
    people: group.people,
    measures: plan.checked.query.measures.map((measure, index) =>
      toMeasure(measure, group.series[plan.seriesOf[index] ?? -1]),
    ),
  }
}

function toMeasure({ kind, margins }: Measure, state: SeriesState | undefined): CollectedMeasure {
  if (state?.withValue === undefined)
    throw new Error('Cannot guard a measure: the people behind it are not known')
  const { rows, withValue, largestRows } = state
  if (kind === 'people')
    return {
      kind,
      count: rows,
      sum: 0,
      sumOfSquares: 0,
      people: withValue,
      largestShare: 1,
      absoluteSum: rows,
    }
  if (kind === 'count')
    return {
      kind,
      count: rows,
      sum: 0,
      sumOfSquares: 0,
      people: withValue,
      largestShare: largestRows,
      absoluteSum: rows,
    }
  if (kind === 'percentile_cont' || kind === 'percentile_disc')
    throw new Error('Cannot guard a quantile: it is only answered with noise')
  if (state.nonZero === undefined) throw new Error('Cannot guard a sum: the people behind it are not known')
  return {
    kind,
    count: rows,
    sum: state.sum,
    sumOfSquares: state.squares,
    people: state.nonZero,
    // What is divided by the number of rows with a value tells that number too.
    ...(kind === 'sum' ? {} : { counted: withValue }),
    largestShare: state.largestSum,
    absoluteSum: state.absoluteSum,
    ...(isOfSquares(kind) ? { largestSquares: state.largestSquares } : {}),
    ...(margins ? { margins } : {}),
  }
}
