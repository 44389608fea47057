import type { Node } from '@pgsql/types'
import { bindCondition, personRefusal } from '../expression/bind-expression.ts'
import type { Expr, Literal } from '../../bound/bound-query.ts'
import { call, caseOf, literal, resolveCall } from '../expression/build-expression.ts'
import { frameOfJoin } from './from-context.ts'
import type { FromContext } from './from-context.ts'
import { foldedSpans } from '../expression/folded-spans.ts'
import { isKnown } from '../expression/outer-names.ts'
import { textsOf } from '../../text/nodes.ts'
import { notSupported } from '../../text/refusal.ts'
import { sameExpression } from '../../bound/same-expression.ts'
import { findColumn } from '../expression/scope.ts'
import type { Scope, ScopeRelation } from '../expression/scope.ts'
import type { NamedTable } from './written-table.ts'

/** How a written table is joined to what stands before it. */
export interface WrittenJoin {
  readonly table: NamedTable
  /** Conditions that tie its rows to those before it. */
  readonly nodes: readonly Node[]
  /** Columns of USING. */
  readonly using: readonly string[]
  /** Rows before it that meet none of its rows stay in a left join. */
  readonly kind: 'inner' | 'left'
  /** Whether its own rows stay where they meet none: nobody stands behind them, so they are groups that are not shown. */
  readonly isKept?: boolean
}

/**
 * A written table is no source of rows: each row before it meets one row of it at most, so its columns are a CASE over the
 * conditions of the join, and an inner join is a condition. What could meet several rows is declined: a row would
 * count as often as it does, by the asker's choice.
 */
export function joinWritten(
  { table, nodes, using, kind, isKept = false }: WrittenJoin,
  left: Scope,
  context: FromContext,
): ScopeRelation {
  const rows = table.rows.map((values) => {
    const own = { name: table.name, columns: table.columns.map((name, at) => columnOf(name, values[at])) }
    return { values, parts: partsOfRow({ nodes, using, own }, left, context) }
  })
  const whens = rows.map(({ parts }) => allOf(parts))
  const overlap = rows.some((row, index) =>
    rows.slice(0, index).some((other) => !areApart(row.parts, other.parts)),
  )
  if (overlap)
    throw notSupported(
      'a written relation of which a row may meet several rows; tie it by = to values that come once in it, or by ranges that do not overlap',
      table.offset,
    )
  const only = rows.length === 1 && whens[0] === undefined ? rows[0]?.values : undefined
  if (kind === 'inner') addMatch(whens, context)
  const exprs = table.columns.map(
    (_, at) =>
      only?.[at] ??
      valueOf(
        rows.map(({ values }) => values[at]),
        whens,
      ),
  )
  context.level.written?.push({ exprs, rows: table.rows, isKept, offset: table.offset })
  return {
    name: table.name,
    tiedTo: [],
    columns: exprs.map((expr, at) => {
      const name = table.columns[at] ?? ''
      return { name, ...(using.includes(name) ? { isMerged: true } : {}), expr }
    }),
  }
}

function columnOf(name: string, value: Literal | undefined): { readonly name: string; readonly expr: Expr } {
  return { name, expr: value ?? literal('text', null) }
}

interface RowParts {
  readonly nodes: readonly Node[]
  readonly using: readonly string[]
  readonly own: ScopeRelation
}

/** What must hold for a row of the table to be met. */
function partsOfRow({ nodes, using, own }: RowParts, left: Scope, context: FromContext): readonly Expr[] {
  const frame = frameOfJoin(context, [...left, own])
  const equal = using.map((name) => {
    const [a, b] = [findColumn(left, { name }, undefined), findColumn([own], { name }, undefined)]
    if (a.type === 'person') throw personRefusal(undefined)
    return resolveCall([a, b], { offset: undefined, name: '=' })
  })
  return [...equal, ...nodes.map((node) => foldedSpans(bindCondition(node, frame)))].flatMap(conjuncts)
}

function conjuncts(expr: Expr): readonly Expr[] {
  return expr.kind === 'call' && expr.call === 'and' ? expr.args.flatMap(conjuncts) : [expr]
}

function allOf(parts: readonly Expr[]): Expr | undefined {
  const [first, second] = parts
  return second === undefined ? first : call('and', parts)
}

function valueOf(values: readonly (Literal | undefined)[], whens: readonly (Expr | undefined)[]): Expr {
  const cases = values.flatMap((value, index) => {
    const when = whens[index]
    return value && when ? [{ when, value }] : []
  })
  return cases.length === 0 ? literal(values[0]?.type ?? 'text', null) : caseOf(cases, undefined)
}

/** Rows that meet none of the table's are left out. */
function addMatch(whens: readonly (Expr | undefined)[], { level }: FromContext): void {
  if (whens.length > 0 && whens.includes(undefined)) return
  const [first = literal('boolean', false), ...others] = whens.filter((when) => when !== undefined)
  level.where.push({ expr: others.length === 0 ? first : call('or', [first, ...others]), clause: 'join' })
}

/** Whether no row before the table can meet two of its rows. */
function areApart(one: readonly Expr[], other: readonly Expr[]): boolean {
  const [a, b] = [one.flatMap(stretchesOf), other.flatMap(stretchesOf)]
  return a.some((left) => b.some((right) => sameExpression(left.of, right.of) && !doMeet(left, right)))
}

/** Where an expression has to lie. */
interface Stretch {
  readonly of: Expr
  readonly least?: End
  readonly greatest?: End
}

interface End {
  readonly value: Literal
  readonly isWithin: boolean
}

function stretchesOf(expr: Expr): readonly Stretch[] {
  if (expr.kind !== 'call') return []
  const [a, b, c] = expr.args
  if (expr.call === 'between' && a && b?.kind === 'literal' && c?.kind === 'literal')
    return [{ of: a, least: { value: b, isWithin: true }, greatest: { value: c, isWithin: true } }]
  if (a === undefined || b === undefined) return []
  if (b.kind === 'literal') return stretchOf(a, expr.call, b)
  return a.kind === 'literal' ? stretchOf(b, FLIPPED[expr.call] ?? expr.call, a) : []
}

const FLIPPED: Readonly<Partial<Record<string, string>>> = { lt: 'gt', le: 'ge', gt: 'lt', ge: 'le' }

function stretchOf(of: Expr, sign: string, value: Literal): readonly Stretch[] {
  const isWithin = sign !== 'lt' && sign !== 'gt'
  const end: End = { value, isWithin }
  if (sign === 'eq') return [{ of, least: end, greatest: end }]
  if (sign === 'lt' || sign === 'le') return [{ of, greatest: end }]
  return sign === 'gt' || sign === 'ge' ? [{ of, least: end }] : []
}

/** Whether something may lie in both; a comparison with null never holds. */
function doMeet(one: Stretch, other: Stretch): boolean {
  const ends = [one.least, one.greatest, other.least, other.greatest]
  if (ends.some((end) => end?.value.value === null)) return false
  return !isBelow(one.greatest, other.least) && !isBelow(other.greatest, one.least)
}

function isBelow(greatest: End | undefined, least: End | undefined): boolean {
  if (greatest === undefined || least === undefined) return false
  const order = compareValues(greatest.value, least.value)
  return order < 0 || (order === 0 && !(greatest.isWithin && least.isWithin))
}

/** As engines compare: numbers by value, texts by code points, dates and times as their ISO forms. */
function compareValues(a: Literal, b: Literal): number {
  if (a.type === 'integer' || a.type === 'number') return Math.sign(Number(a.value) - Number(b.value))
  return Buffer.compare(bytesOf(a), bytesOf(b))
}

function bytesOf({ value }: Literal): Buffer {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
}

/** The names of a table of one row that nothing has to tie: each is its value. */
export function namesOfOnly({ name, columns, rows }: NamedTable): ScopeRelation | undefined {
  const [only, another] = rows
  if (only === undefined || another) return undefined
  return { name, tiedTo: [], columns: columns.map((column, at) => columnOf(column, only[at])) }
}

interface Beside {
  readonly table: NamedTable
  /** Tables that are joined after it. */
  readonly later: readonly NamedTable[]
  readonly others: Scope
}

/** Conditions of WHERE that look at a written table and at none that is joined after it; and the rest. */
export function conditionsAbout(
  nodes: readonly Node[],
  { table, later, others }: Beside,
): { readonly about: readonly Node[]; readonly rest: readonly Node[] } {
  const isAbout = (node: Node): boolean =>
    looksAt(node, table, others) && !later.some((other) => looksAt(node, other, others))
  return { about: nodes.filter(isAbout), rest: nodes.filter((node) => !isAbout(node)) }
}

function looksAt(node: Node, { name, columns }: NamedTable, others: Scope): boolean {
  const own: Scope = [{ name, columns: columns.map((column) => ({ name: column })) }]
  return namesIn(node).some((names) => isKnown(own, names) && (names.length > 1 || !isKnown(others, names)))
}

function namesIn(value: unknown): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return []
  if (!('ColumnRef' in value)) return Object.values(value).flatMap(namesIn)
  const { fields = [] } = value.ColumnRef as { readonly fields?: readonly Node[] }
  return [textsOf(fields.filter((field) => !('A_Star' in field))) ?? []]
}
