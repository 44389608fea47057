import type { FuncCall } from '@pgsql/types'
import type { Expr, KeyRef, Literal } from '../../bound/bound-query.ts'
import { mapExpression, sameExpression } from '../../bound/same-expression.ts'
import { notSupported } from '../../text/refusal.ts'
import { bindValue } from '../expression/bind-expression.ts'
import type { Frame } from '../expression/bind-expression.ts'
import { call, caseOf } from '../expression/build-expression.ts'
import type { WrittenColumns } from '../expression/scope.ts'

/*
 * Groups by the columns of a relation that is written out. What such a group has in the relation's other columns follows from the
 * text alone, so it is nobody's value.
 */

/**
 * `min(b.least)` and `max(…)` of a column of a relation that is written out: that column, which has to follow from the keys of
 * each group. `undefined` for any other aggregate.
 */
export function writtenExtreme(
  node: FuncCall,
  name: string,
  { inner, written }: { readonly inner: Frame; readonly written: readonly WrittenColumns[] },
): Expr | undefined {
  const [arg, another] = node.args ?? []
  if ((name !== 'min' && name !== 'max') || !arg || another || node.agg_filter || written.length === 0)
    return undefined
  if (!('ColumnRef' in arg)) return undefined
  const expr = bindValue(arg, inner)
  return written.some(({ exprs }) => exprs.some((column) => sameExpression(column, expr))) ? expr : undefined
}

/** An expression with columns of written relations that no key is as what follows for them from the keys. */
export function fromWrittenKeys(expr: Expr, keys: readonly Expr[], written: readonly WrittenColumns[]): Expr {
  if (written.length === 0) return expr
  return mapExpression(expr, (part) => {
    if (part.kind !== 'case' || keys.some((key) => sameExpression(key, part))) return undefined
    for (const table of written) {
      const at = table.exprs.findIndex((column) => sameExpression(column, part))
      const found = at < 0 ? undefined : followed(table, at, keys)
      if (found) return found
    }
    return undefined
  })
}

/** The column by the values of those that are keys, where these decide about it. */
function followed({ exprs, rows }: WrittenColumns, at: number, keys: readonly Expr[]): Expr | undefined {
  const known = keysOf(exprs, keys)
  const values = new Map<string, { readonly row: readonly Literal[]; readonly value: Literal }>()
  for (const row of rows) {
    const value = row[at]
    const name = nameOf(row, known)
    const before = values.get(name)
    if (value === undefined || (before && before.value.value !== value.value)) return undefined
    values.set(name, { row, value })
  }
  // Who meets none of its rows has nulls for all of them, and stands in one group with who meets a row of null keys.
  const ofNoRow = values.get(nameOf([], known))
  if (ofNoRow && ofNoRow.value.value !== null) return undefined
  const [first, ...others] = [...values.values()]
  if (known.length === 0 || first === undefined) return undefined
  return caseOf(
    [first, ...others].map(({ row, value }) => ({ when: isRow(row, known), value })),
    undefined,
  )
}

interface KnownColumn {
  readonly at: number
  readonly key: KeyRef
}

function keysOf(exprs: readonly Expr[], keys: readonly Expr[]): readonly KnownColumn[] {
  return exprs.flatMap((expr, at) => {
    const key = keys.findIndex((one) => sameExpression(one, expr))
    return key < 0 ? [] : [{ at, key: { kind: 'key', key, type: expr.type, size: 1 } as const }]
  })
}

function nameOf(row: readonly Literal[], known: readonly { readonly at: number }[]): string {
  return JSON.stringify(known.map(({ at }) => row[at]?.value ?? null))
}

function isRow(row: readonly Literal[], known: readonly KnownColumn[]): Expr {
  const parts = known.flatMap(({ at, key }) => {
    const value = row[at]
    return value ? [call('not_distinct', [key, value])] : []
  })
  const [first, second] = parts
  return first && second === undefined ? first : call('and', parts)
}

/**
 * Rows of a written relation that stay though they meet nobody are groups of nobody where the keys tell them all apart. Then none of
 * them is in a group with people, and the guard shows no group of nobody.
 */
export function checkKeptRows(
  {
    keys,
    sets,
  }: { readonly keys: readonly Expr[]; readonly sets?: readonly (readonly number[])[] | undefined },
  written: readonly WrittenColumns[],
): void {
  for (const { exprs, rows, isKept, offset } of written) {
    if (!isKept) continue
    const areApart = (sets ?? [keys.map((_, index) => index)]).every((set) => {
      const own = new Set(set)
      const known = keysOf(exprs, keys).filter(({ key }) => own.has(key.key))
      // Who meets none of its rows has nulls for all of them.
      const names = [...rows, []].map((row) => nameOf(row, known))
      return new Set(names).size === names.length
    })
    if (!areApart)
      throw notSupported(
        'an outer join that keeps rows of a relation that is written out, without GROUP BY of what tells those rows apart: nobody stands behind them',
        offset,
      )
  }
}
