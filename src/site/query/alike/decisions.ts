import type { Manifest } from '../../../protocol/data-set.ts'
import type { BoundQuery, Expr, Measure } from '../bound/bound-query.ts'
import { isOneRowAGroup } from '../bind/aggregate/bounded-argument.ts'
import { call } from '../bind/expression/build-expression.ts'
import { setsOfKeys } from '../bound/sets-of-keys.ts'
import { decidingParts, joinConditions, LevelFinder } from './level-finder.ts'
import type { DecidingLevel } from './level-finder.ts'
import { asksForValue, baseColumns, columnsRead, rowsCounted } from './readings.ts'
import type { BaseColumn } from './readings.ts'
import { tellsOfSummed } from './summed-values.ts'
import { onlyWhere } from './tells.ts'

/** Measures that are themselves decided about, over the rows that count. */
export interface DecidedValues {
  readonly counts: readonly Expr[]
  readonly tells: readonly Expr[]
}

/**
 * Everything by which a question tells people apart before it sums: conditions, filters, keys, and what is inside the values
 * that are summed (`docs/explanation/why-answers-cannot-be-combined.md`, *Alike in what was asked*).
 */
export interface Decisions {
  /** Of conditions, keys and filters, level by level. The first is the question's own. */
  readonly levels: readonly DecidingLevel[]
  /** Of the values that are summed. */
  readonly values: DecidedValues
  /** What is decided by, keys of the question among it. */
  readonly decided: readonly BaseColumn[]
  /** Lists of which pieces were asked for: nobody is told apart by these. */
  readonly pieces: readonly BaseColumn[]
  /** What sums are made of. */
  readonly summed: readonly BaseColumn[]
  /** Something decides of which no statement can be made. */
  readonly isOpaque: boolean
}

/** Finds the decisions of a question. */
export function decisionsOf(
  { sources, where, keys, groupingSets, measures, ...ordered }: BoundQuery,
  manifests: ReadonlyMap<string, Manifest>,
): Decisions {
  const conditions = [...where.map(({ expr }) => expr), ...joinConditions(sources)]
  const summing = measures.filter(({ kind }) => kind !== 'count' && kind !== 'people')
  const filters = measures.flatMap(({ filter }) => (filter ? [filter] : []))
  const measured = measures.flatMap(({ argument }) => (argument ? [argument] : []))
  const counted = measures.flatMap(({ kind, argument }) => (kind === 'count' && argument ? [argument] : []))
  // Of a sum there is a count beside it: what that tells is of those who are summed, not of everybody.
  const summedHere = new Set(summing.map(({ argument }) => argument))
  const countedAlone = counted.filter((argument) => !summedHere.has(argument)).flatMap(havingValue)
  // Who is not among the first rows stands behind them in their order.
  const isCutOff = ordered.limit !== undefined || ordered.offset !== undefined
  const order = ordered.mode === 'rows' && isCutOff ? ordered.orderBy.map(({ expr }) => expr) : []
  const finder = new LevelFinder(manifests)
  finder.addLevel(sources, { where: conditions, others: filters, keys: [...keys, ...order, ...countedAlone] })
  const inMeasures = [...measured.flatMap(decidingParts), ...countedAlone]
  finder.addSources(sources, [...conditions, ...filters, ...keys, ...order, ...inMeasures])
  const tells = summing.flatMap(({ argument, filter }) =>
    argument ? tellsOfSummed(argument, sources).map((tell) => onlyWhere(tell, filter)) : [],
  )
  return {
    levels: finder.levels,
    values: { counts: conditions, tells },
    decided: finder.decided,
    pieces: finder.pieces,
    summed: [
      ...summing.flatMap(({ argument }) =>
        (argument ? columnsRead(argument) : []).flatMap((read) => baseColumns(read, sources, manifests)),
      ),
      // Where everybody has one row at most, in each group of each set, counting rows is counting people.
      ...(!setsOfKeys({ keys, groupingSets }).every((set) =>
        isOneRowAGroup({ sources, keys: set }, manifests),
      ) && measures.some((measure) => tellsOfRows(measure, summedHere))
        ? rowsCounted(sources, manifests)
        : []),
    ],
    isOpaque: finder.isOpaque || isTooLarge([...finder.levels.flatMap((level) => level.tells), ...tells]),
  }
}

/** What a count asks of a value, unless it is one that is stored: of these the measures tell who has one. */
function havingValue(counted: Expr): readonly Expr[] {
  const hasValue = call('is_not_null', [counted])
  return asksForValue(hasValue) ? [] : [hasValue]
}

/** Whether a measure tells how many rows there are. A sum does not, but of ones, nor does the count that is beside it. */
function tellsOfRows({ kind, argument }: Measure, summedHere: ReadonlySet<Expr | undefined>): boolean {
  if (kind === 'people' || (kind === 'count' && argument !== undefined && summedHere.has(argument)))
    return false
  return kind !== 'sum' || argument === undefined || columnsRead(argument).length === 0
}

/** Nodes of a statement, and columns that it groups by. */
const SIZE_MAX = 20_000
const TELLS_MAX = 100

function isTooLarge(tells: readonly Expr[]): boolean {
  return tells.length > TELLS_MAX || tells.reduce((sum, { size }) => sum + size, 0) > SIZE_MAX
}
