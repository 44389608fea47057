import { ok } from '../../../kernel/result.ts'
import type { Outcome } from '../../../protocol/reason.ts'
import type { ReleaseValue } from '../../../protocol/release.ts'
import type { CollectedGroup } from '../../guard/collected-group.ts'
import { measureValue } from '../../guard/measure-value.ts'
import type { VaultResult, VaultStatement } from '../../vault/vault.ts'
import type { BoundQuery, CheckedQuery, Expr, OutputColumn, WindowCall } from '../bound/bound-query.ts'
import { computeHere } from './compute-here.ts'
import type { Text } from '../catalogue/forms.ts'
import type { AggregatePlan } from '../plan/plan-aggregate.ts'
import type { QueryRunner } from '../plan/plan-context.ts'
import { printExpression, printLiteral, printReleased, printSortKey, printTail } from '../plan/print.ts'
import { mapExpression, sameExpression } from '../bound/same-expression.ts'
import type { Printing } from '../plan/print.ts'
import { toLiteral, toReleased } from './released-value.ts'

/** The groups that the guard let through. */
export interface SafeGroups {
  readonly released: readonly CollectedGroup[]
  readonly remainder?: CollectedGroup
}

/** What is shown of them. */
export interface FinishedRows {
  readonly columns: readonly OutputColumn[]
  readonly rows: readonly (readonly ReleaseValue[])[]
  readonly remainder?: readonly ReleaseValue[]
}

/**
 * Computes outputs, HAVING, ORDER BY, LIMIT and OFFSET over groups that were let through, so that nothing of a
 * suppressed group can switch, order or cut what is shown. The remainder is shown as it is: it is no group that was
 * asked for.
 */
export async function finishGroups(
  plan: Pick<AggregatePlan, 'checked' | 'dialect'>,
  { released, remainder }: SafeGroups,
  runner: QueryRunner,
): Promise<Outcome<FinishedRows>> {
  const { query, outputs } = plan.checked
  const rows = await finish(plan, { groups: released.map(computedGroup), query }, runner)
  if (!rows.ok) return rows
  // Of sums over groups the remainder is no part, and no row of its own.
  if (remainder === undefined || query.regrouped) return ok({ columns: outputs, rows: rows.value })
  // The remainder has no place among the groups.
  const bare: BoundQuery = {
    ...query,
    outputs: query.outputs.map((output) => ({ ...output, expr: withoutPlace(output.expr, () => null) })),
    having: undefined,
    qualify: undefined,
    orderBy: [],
    limit: undefined,
    offset: undefined,
  }
  const rest = await finish(plan, { groups: [computedGroup(remainder)], query: bare }, runner)
  if (!rest.ok) return rest
  return ok({ columns: outputs, rows: rows.value, remainder: rest.value[0] ?? [] })
}

/** The same expression with a value in the place of each window function. */
function withoutPlace(expr: Expr, valueOf: (window: WindowCall) => number | null): Expr {
  return mapExpression(expr, (part) =>
    part.kind === 'window' ? { kind: 'literal', type: part.type, value: valueOf(part), size: 1 } : undefined,
  )
}

/** A group that may be shown: its keys, and what each measure came to. */
export interface ComputedGroup {
  readonly keys: readonly ReleaseValue[]
  readonly values: readonly (number | null)[]
}

function computedGroup({ keys, measures }: CollectedGroup): ComputedGroup {
  return { keys, values: measures.map((measure) => measureValue(measure, measures)) }
}

/** The same over groups whose values are noisy: nothing but those is looked at, so it costs no privacy. */
export async function finishNoisy(
  checked: CheckedQuery,
  groups: readonly ComputedGroup[],
  runner: QueryRunner,
): Promise<Outcome<FinishedRows>> {
  const { query, outputs } = checked
  const rows = await finish({ dialect: 'duckdb' }, { groups, query }, runner)
  return rows.ok ? ok({ columns: outputs, rows: rows.value }) : rows
}

interface Finishing {
  readonly groups: readonly ComputedGroup[]
  readonly query: BoundQuery
}

async function finish(
  plan: Pick<AggregatePlan, 'dialect'>,
  finishing: Finishing,
  runner: QueryRunner,
): Promise<Outcome<readonly (readonly ReleaseValue[])[]>> {
  const { groups, query } = finishing
  if (groups.length === 0)
    return query.regrouped === 'as one' ? finish(plan, ofNoGroup(query), runner) : ok([])
  const plain = plainRows(finishing)
  if (plain) return ok(plain)
  const result = await runner.run(printFinish(plan, finishing))
  return result.ok ? ok(readRows(result.value, finishing.query)) : result
}

/** The row that is made of all groups where there are none: in it a count is 0, and everything else is null. */
function ofNoGroup(query: BoundQuery): Finishing {
  const computed = (expr: Expr): Expr => withoutPlace(expr, valueOfNone)
  return {
    groups: [{ keys: [], values: query.measures.map(() => null) }],
    query: {
      ...query,
      outputs: query.outputs.map((output) => ({ ...output, expr: computed(output.expr) })),
      qualify: query.qualify && computed(query.qualify),
      orderBy: query.orderBy.map((key) => ({ ...key, expr: computed(key.expr) })),
    },
  }
}

function valueOfNone({ function: made }: WindowCall): number | null {
  if (made === 'row_number') return 1
  return made === 'count' ? 0 : null
}

/**
 * The rows where every output is a key, a measure or arithmetic of them and all rows are wanted in the order they have: an
 * engine would be asked for nothing that cannot be done here. Undefined where it has to be.
 */
function plainRows({
  groups,
  query: { outputs, having, qualify, orderBy, limit, offset },
}: Finishing): readonly (readonly ReleaseValue[])[] | undefined {
  if (having || qualify || orderBy.length > 0 || limit !== undefined || offset !== undefined) return undefined
  const rows: ReleaseValue[][] = []
  for (const group of groups) {
    const row: ReleaseValue[] = []
    for (const { expr } of outputs) {
      const value = computeHere(expr, (leaf) => valueOf(leaf, group))
      if (value === undefined) return undefined
      row.push(value)
    }
    rows.push(row)
  }
  return rows
}

function valueOf(leaf: Expr, { keys, values }: ComputedGroup): ReleaseValue | undefined {
  if (leaf.kind === 'key') return keys[leaf.key] ?? null
  return leaf.kind === 'measure' ? (values[leaf.measure] ?? null) : undefined
}

function readRows(result: VaultResult, { outputs }: BoundQuery): readonly (readonly ReleaseValue[])[] {
  const columns = outputs.map((_, index) => result.column(index))
  return Array.from({ length: result.rowCount }, (_, row) =>
    outputs.map(({ expr }, index) => toReleased(columns[index]?.[row], expr.type)),
  )
}

function printFinish(
  { dialect }: Pick<AggregatePlan, 'dialect'>,
  { groups, query }: Finishing,
): VaultStatement {
  const printing: Printing = {
    dialect,
    parameters: [],
    column: (_, column) => `"g"."${column}"`,
    key: (key) =>
      dialect === 'postgres' && query.keys[key]?.type === 'text'
        ? `("g"."k${key}" collate "C")`
        : `"g"."k${key}"`,
    measure: (measure) => `"g"."m${measure}"`,
  }
  const { windows, computed } = withoutWindows(query)
  const rows = printGroups({ groups, query }, printing)
  const from =
    windows.length === 0 ? `(${rows.values}) as "g" (${rows.names})` : printWindows(windows, query, printing)
  const beside = windows.length === 0 ? '' : `with "g" (${rows.names}) as materialized (${rows.values})\n`
  // Texts are bound in the order of the whole statement by their numbers, so it does not matter which part is printed first.
  const outputs = computed.outputs.map(
    ({ expr }, index) =>
      `${printReleased(expr.type, printExpression(expr, printing), dialect)} as "o${index}"`,
  )
  const conditions = [windows.length === 0 ? query.having : undefined, computed.qualify].flatMap((one) =>
    one ? [printExpression(one, printing)] : [],
  )
  const where: Text = conditions.length === 0 ? '' : `\nwhere ${conditions.join(' and ')}`
  const order = computed.orderBy.map((key) => printSortKey(key, printing))
  return {
    sql: `${beside}select ${outputs.join(', ')}\nfrom ${from}${where}${printTail(order, query)}`,
    parameters: printing.parameters,
  }
}

/** Keys and measures of each group. */
function printGroups(
  { groups, query }: Finishing,
  printing: Printing,
): { readonly values: Text; readonly names: Text } {
  const types = measureTypes(query)
  const rows = groups.map(({ keys, values: computed }) => {
    const values = query.keys.map(({ type }, index) =>
      printLiteral(toLiteral(keys[index] ?? null, type), printing),
    )
    const figures = computed.map((value, index) =>
      printLiteral(toLiteral(value, types[index] ?? 'number'), printing),
    )
    return `(${[...values, ...figures].join(', ')})`
  })
  const names = [
    ...query.keys.map((_, index) => `"k${index}"`),
    ...query.measures.map((_, index) => `"m${index}"`),
  ]
  return { values: `values ${rows.join(', ')}`, names: names.join(', ') }
}

/**
 * Window functions as columns beside keys and measures: within the form of another call one would see a single row. Over values
 * that are no relation of their own DuckDB 1.5.6 joins them with copies that have lost their parameters.
 */
function printWindows(windows: readonly WindowCall[], { having }: BoundQuery, printing: Printing): Text {
  const list = windows.map((window, index) => `${printExpression(window, printing)} as "v${index}"`)
  const where = having ? ` where ${printExpression(having, printing)}` : ''
  return `(select "g".*, ${list.join(', ')} from "g"${where}) as "g"`
}

/** A question whose window functions are columns `v0`, `v1`, …, and those. */
function withoutWindows(query: BoundQuery): {
  readonly windows: readonly WindowCall[]
  readonly computed: Pick<BoundQuery, 'outputs' | 'qualify' | 'orderBy'>
} {
  const windows: WindowCall[] = []
  const read = (expr: Expr): Expr =>
    mapExpression(expr, (part) => {
      if (part.kind !== 'window') return undefined
      const known = windows.findIndex((one) => sameExpression(one, part))
      const index = known >= 0 ? known : windows.push(part) - 1
      return { kind: 'column', source: 0, column: `v${index}`, isDerived: true, type: part.type, size: 1 }
    })
  const computed = {
    outputs: query.outputs.map((output) => ({ ...output, expr: read(output.expr) })),
    qualify: query.qualify && read(query.qualify),
    orderBy: query.orderBy.map((key) => ({ ...key, expr: read(key.expr) })),
  }
  return { windows, computed }
}

/** Counts are whole, and so are values chosen among whole ones; what is summed is a double. */
function measureTypes({ measures }: BoundQuery): readonly ('integer' | 'number')[] {
  return measures.map(({ kind, argument }) => {
    const isChosen = kind === 'percentile_disc' && argument?.type === 'integer'
    return isChosen || kind === 'count' || kind === 'people' ? 'integer' : 'number'
  })
}
