import type { Digest } from '../../../kernel/digest.ts'
import type { ColumnType, Manifest } from '../../../protocol/data-set.ts'
import type { DataSetId } from '../../../protocol/wire.ts'
import type { MeasureKind } from '../../guard/collected-group.ts'
import type { CallId } from '../catalogue/catalogue.ts'
import type { ExprType, Range, Span } from '../catalogue/expression-type.ts'

/**
 * A question after the gate has understood it: typed, immutable, and able to say only what is allowed. Every column
 * is bound to a column of a data set, every function, operator and cast to a row of the catalogue. Engines are given
 * text that is printed from this form; what this form cannot express cannot reach an engine.
 */

/** Modes that the gate answers with SQL. */
export type QueryMode = 'aggregate' | 'private' | 'rows'

interface ExprFacts {
  readonly type: ExprType
  /** Nodes below and including this one, with derived columns written out; bounded, so that printing is. */
  readonly size: number
  /** From declared bounds; absent when a column without bounds decides. */
  readonly range?: Range | undefined
  /** Of a text: how many stored texts long it may be; one where absent. Bounded, so that no text grows past all bounds. */
  readonly copies?: number | undefined
  /** Seconds between two times, which PostgreSQL has as a span. */
  readonly isSpan?: true | undefined
}

export type LiteralValue = string | number | boolean | null | Span

/** Integers are whole numbers within ±2^53, dates and timestamps ISO texts without zone. */
export interface Literal extends ExprFacts {
  readonly kind: 'literal'
  readonly value: LiteralValue
}

/** Whether an expression is written out. */
export function isLiteral(expr: Expr): expr is Literal {
  return expr.kind === 'literal'
}

/** A column of a source: `source` is an index into `sources`. */
export interface ColumnRef extends ExprFacts {
  readonly kind: 'column'
  readonly source: number
  readonly column: string
  /** A sub-select or sub-query made it: then its name is none that the asker knows. */
  readonly isDerived?: true
}

/** A column as a decline says it. */
export function spokenColumn({ column, isDerived }: ColumnRef): string {
  return isDerived ? 'A value of a sub-query' : `Column "${column}"`
}

/** A column that every data set has: where a row is stored. No column of a manifest begins so. */
export const STORED = '_r'

/** The person behind the row. */
export interface PersonRef extends ExprFacts {
  readonly kind: 'person'
  readonly source: number
  /** Sources where it is looked for when that one has no row: what USING merges in a full join. */
  readonly orElse?: readonly number[]
}

/** A row of the catalogue with its arguments; `constants` are what the row takes at the time of writing (`'month'` of `date_trunc`). */
export interface Call extends ExprFacts {
  readonly kind: 'call'
  readonly call: CallId
  readonly args: readonly Expr[]
  readonly constants: readonly (string | number)[]
}

export interface Case extends ExprFacts {
  readonly kind: 'case'
  readonly whens: readonly { readonly when: Expr; readonly value: Expr }[]
  readonly otherwise?: Expr | undefined
}

/** A group's key by its index in `keys`; only in what is computed after the guard. */
export interface KeyRef extends ExprFacts {
  readonly kind: 'key'
  readonly key: number
}

/** What a measure comes to once its group is released; only in what is computed after the guard. */
export interface MeasureRef extends ExprFacts {
  readonly kind: 'measure'
  readonly measure: number
}

export type WindowFunction =
  | 'row_number'
  | 'rank'
  | 'dense_rank'
  | 'lag'
  | 'lead'
  | 'count'
  | 'sum'
  | 'avg'
  | 'min'
  | 'max'
  | 'bool_or'
  | 'bool_and'
  | 'var_samp'
  | 'var_pop'
  | 'stddev_samp'
  | 'stddev_pop'
  | 'first_value'
  | 'last_value'
  | 'nth_value'
  | 'ntile'
  | 'percent_rank'
  | 'cume_dist'

/** An end of a frame: so many rows, groups of equal rows, or so much of what is ordered by, before or after the row. */
export interface FrameEnd {
  readonly kind: 'unbounded preceding' | 'preceding' | 'current row' | 'following' | 'unbounded following'
  readonly offset?: number | Span
}

/** Which rows of its partition a window function looks at for a row. */
export interface WindowFrame {
  readonly unit: 'rows' | 'range' | 'groups'
  readonly start: FrameEnd
  readonly end: FrameEnd
  /** Rows that are left out of it. */
  readonly exclude?: 'current row' | 'group' | 'ties'
}

/**
 * A window function: over the rows of one person, in the columns of a `rows` source; or over the groups of an answer, in what is
 * computed after the guard.
 */
export interface WindowCall extends ExprFacts {
  readonly kind: 'window'
  readonly function: WindowFunction
  /** Absent over groups. */
  readonly person?: PersonRef | undefined
  readonly args: readonly Expr[]
  /** Of `lag`, `lead`, `nth_value` and `ntile`. */
  readonly offset: number
  readonly partition: readonly Expr[]
  readonly order: readonly SortKey[]
  /** What else tells rows apart where the order decides about single rows. */
  readonly ties: readonly (ColumnRef | KeyRef)[]
  /** Absent: up to the row and its equals where there is an order, else all of the partition. */
  readonly frame?: WindowFrame | undefined
}

export type Expr = Literal | ColumnRef | PersonRef | Call | Case | KeyRef | MeasureRef | WindowCall

/** What rows come from. All sources of a question are joined by the person: equal numbers, nothing else. */
export type Source = DataSetSource | PerPersonSource | RowsSource | OuterSource

/** How a source is joined to those before it, by the person of one of these. */
export interface Join {
  /** Whose rows stay where the other side has none: columns of that side are null there. */
  readonly kind: 'inner' | 'left' | 'right' | 'full'
  /** Sources before it: the person of the first of them that has a row. */
  readonly by: readonly number[]
  /** Further conditions of the join. */
  readonly on: readonly Expr[]
}

interface JoinedSource {
  /** Absent: rows stay only where each side has one of the person. */
  readonly join?: Join | undefined
}

export interface DataSetSource extends JoinedSource {
  readonly kind: 'data-set'
  readonly dataSet: DataSetId
}

/**
 * The row of the level around a correlated sub-query, of whose sources this is one: `source` is its index there, `of`
 * what it is. It is no source of rows.
 */
export interface OuterSource extends JoinedSource {
  readonly kind: 'outer'
  readonly source: number
  readonly of: Source
}

/** What a source is, whatever number of levels it is read through. */
export function innermost(source: Source): Source {
  return source.kind === 'outer' ? innermost(source.of) : source
}

/**
 * A sub-select or CTE grouped by the person key: its values are the person's own (security model, *What counts as
 * contributing*). With an `outer` source among its own it is computed for each row around it.
 */
export interface PerPersonSource extends JoinedSource {
  readonly kind: 'per-person'
  readonly sources: readonly Source[]
  readonly where: readonly Condition[]
  /** Further group keys, read as columns `k0`, `k1`, … */
  readonly keys: readonly Expr[]
  /** Read as columns `a0`, `a1`, … */
  readonly aggregates: readonly PerPersonAggregate[]
}

/** A sub-select that is joined as it is: an outer join needs its rows before those that it is joined to, a window all of them. */
export interface RowsSource extends JoinedSource {
  readonly kind: 'rows'
  readonly sources: readonly Source[]
  readonly where: readonly Condition[]
  /** Read as columns `c0`, `c1`, … */
  readonly columns: readonly Expr[]
}

/** Something that rows must meet, and where it was said. */
export interface Condition {
  readonly expr: Expr
  readonly clause: 'where' | 'join'
}

export type PerPersonFunction =
  | 'count'
  | 'sum'
  | 'avg'
  | 'min'
  | 'max'
  | 'bool_or'
  | 'bool_and'
  | 'var_samp'
  | 'var_pop'
  | 'stddev_samp'
  | 'stddev_pop'
  | 'percentile_cont'
  | 'percentile_disc'
  | 'mode'
  | 'string_agg'

export interface PerPersonAggregate {
  readonly function: PerPersonFunction
  /** Absent: rows are counted. */
  readonly argument?: Expr | undefined
  readonly filter?: Expr | undefined
  /** Of `count` and `string_agg`: different values. */
  readonly isDistinct?: true | undefined
  /** Of `sum`, `avg` and what tells of a spread, of a column with declared bounds. */
  readonly clamp?: Range | undefined
  /** Of a quantile, in millionths. */
  readonly quantileMicro?: number | undefined
  /** Of `string_agg`: what stands between. */
  readonly separator?: string | undefined
  /** Of a text: how many stored ones long it may be. */
  readonly copies?: number | undefined
  readonly type: ColumnType
}

/** Aggregates that are only answered with noise. */
export type QuantileKind = 'percentile_cont' | 'percentile_disc'

/**
 * What is collected for each group before the guard: rows, people, or the sum of an argument clamped to `clamp`, and
 * of its squares where the kind needs it. A covariance is computed from the sums of a product and of its factors.
 */
export interface Measure {
  readonly kind: MeasureKind | QuantileKind
  /** Absent: rows or people are counted. */
  readonly argument?: Expr | undefined
  readonly filter?: Expr | undefined
  readonly clamp?: Range | undefined
  /** Of a quantile, in millionths. */
  readonly quantileMicro?: number | undefined
  /** Of a covariance, whose argument is a product: the averages of the two factors over the same rows, by their indexes. */
  readonly margins?: readonly [number, number] | undefined
  /**
   * Measures that this one also tells of, by their indexes, so that they are collected and guarded with it: of a sum,
   * who has a value at all, which is a set of its own beside who has one that is not 0.
   */
  readonly tells: readonly number[]
}

export interface SortKey {
  readonly expr: Expr
  readonly isDescending: boolean
  readonly nullsFirst: boolean
}

export interface Output {
  readonly name: string
  readonly expr: Expr
  /** From the manifest, when the output is a column, its average, sum or a key unchanged. */
  readonly unit?: string | undefined
}

/** The whole question. In `aggregate`, `outputs`, `having`, `qualify` and `orderBy` are made of keys and measures only. */
export interface BoundQuery {
  readonly mode: QueryMode
  readonly sources: readonly Source[]
  readonly where: readonly Condition[]
  readonly keys: readonly Expr[]
  /**
   * Of GROUPING SETS, ROLLUP and CUBE: for each set the keys that it groups by, by their indexes. The last of `keys` is
   * then the number of the set, and a key is null in the groups of a set that is without it.
   */
  readonly groupingSets?: readonly (readonly number[])[] | undefined
  readonly measures: readonly Measure[]
  readonly outputs: readonly Output[]
  readonly having?: Expr | undefined
  /** A condition on groups after windows over them are computed, as QUALIFY is elsewhere. */
  readonly qualify?: Expr | undefined
  /** What is shown is made of several groups each, of which `qualify` shows one row; or of all of them, one row also of none. */
  readonly regrouped?: 'by keys' | 'as one' | undefined
  readonly orderBy: readonly SortKey[]
  readonly limit?: number | undefined
  readonly offset?: number | undefined
}

export const CLAUSES = ['select', 'where', 'join', 'group', 'filter', 'having', 'order'] as const
export type Clause = (typeof CLAUSES)[number]

/** That a question reads a column, where, and which of its outputs depend on it (indexes; none for a filter of all rows). */
export interface ColumnUse {
  readonly dataSet: DataSetId
  readonly column: string
  readonly clause: Clause
  readonly outputs: readonly number[]
}

/** One column of the answer. `person` columns hold pairwise pseudonyms. */
export interface OutputColumn {
  readonly name: string
  readonly type: ExprType
  readonly unit?: string | undefined
}

/** A question that may run, and what has to be known to decide whether it may run for whom. */
export interface CheckedQuery {
  readonly mode: QueryMode
  readonly query: BoundQuery
  /** In order of their first use. */
  readonly dataSets: readonly DataSetId[]
  /** Their manifests, as the question was checked against them. */
  readonly manifests: ReadonlyMap<string, Manifest>
  readonly uses: readonly ColumnUse[]
  readonly outputs: readonly OutputColumn[]
  /** Of the bound question with its literals: equal questions, however they are written, are equal here. */
  readonly digest: Digest
  /** Of `uses` alone. */
  readonly lineageDigest: Digest
}
