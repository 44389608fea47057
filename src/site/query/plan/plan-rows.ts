import { LIMITS } from '../../../kernel/limits.ts'
import type { VaultStatement } from '../../vault/vault.ts'
import type { BoundQuery, CheckedQuery } from '../bound/bound-query.ts'
import type { Text } from '../catalogue/forms.ts'
import { ORDER_MODULUS } from './plan-context.ts'
import type { PlanContext } from './plan-context.ts'
import { printExpression, printReleased, printSortKey, printTail } from './print.ts'
import type { Printing } from './print.ts'
import { levelPrinting, printLevel, printPerson } from './print-sources.ts'
import type { SourcePrinting } from './print-sources.ts'

/** How a question of mode `rows` is answered: one statement that gives `_p`, then the outputs. */
export interface RowsPlan {
  readonly checked: CheckedQuery
  readonly statement: VaultStatement
  /** Outputs that are the person: whoever releases the rows puts pseudonyms there. */
  readonly personOutputs: readonly number[]
}

/** Prints a question of mode `rows`. Only eligible people's rows are ordered, limited and shown. */
export function planRows(checked: CheckedQuery, context: PlanContext): RowsPlan {
  const { query } = checked
  const parameters: SourcePrinting['parameters'] = []
  const printing: SourcePrinting = {
    dialect: context.dialect,
    parameters,
    relations: context.relations,
    manifests: checked.manifests,
  }
  const inner = levelPrinting(printing, query.sources)
  const outputs = query.outputs.map(({ expr }) =>
    expr.type === 'person' ? 'null' : printReleased(expr.type, printExpression(expr, inner), context.dialect),
  )
  const reads = [...query.outputs.map(({ expr }) => expr), ...query.orderBy.map(({ expr }) => expr)]
  const list = `${printPerson(query.sources, printing)} as "o_p"${outputs.map((text, index) => `, ${text} as "o${index}"`).join('')}`
  const level = printLevel({ sources: query.sources, where: query.where, reads }, printing)
  const personOutputs = query.outputs.flatMap(({ expr }, index) => (expr.type === 'person' ? [index] : []))
  const order = wholeOrder(query, inner)
  if (personOutputs.length > 0 && context.order) order.push(secretOrder(query.sources, context, printing))
  const sql = `select ${list}\n${level}${printTail([...order, '"o_p"'], { ...query, limit: query.limit ?? ALL_ROWS })}`
  return { checked, statement: { sql, parameters }, personOutputs }
}

/** One more than may leave: that there are too many shows, and the engine sorts no more than it has to. */
const ALL_ROWS = LIMITS.releaseRowsMax + 1

/**
 * Numbers of people rise in the order of the issuer's file, which may be that of their names, and are the same for whoever asks:
 * by it the n-th pseudonym of one acquirer would be the n-th of another. A secret line through all numbers, and a hash, so that
 * two such orders have nothing in common.
 */
function secretOrder(
  sources: BoundQuery['sources'],
  { dialect, order }: PlanContext,
  printing: SourcePrinting,
): Text {
  const bound = (value: number): Text => {
    printing.parameters.push({ type: 'integer', value })
    return `cast($${printing.parameters.length} as bigint)`
  }
  const { factor, addend } = order ?? { factor: 1, addend: 0 }
  const line = `(cast(${printPerson(sources, printing)} as bigint) * ${bound(factor)} + ${bound(addend)}) % ${ORDER_MODULUS}`
  return dialect === 'duckdb' ? `hash(${line})` : `hashint8(${line})`
}

/**
 * What was asked to order by, then all outputs; behind it comes the person. In which order rows come otherwise, and which of equal ones a
 * LIMIT takes, follows from how the engine joins, and that from how many rows people have who gave no grant.
 */
function wholeOrder({ orderBy, outputs }: BoundQuery, printing: Printing): Text[] {
  const shown = outputs.flatMap(({ expr }) => {
    if (expr.type === 'person' || expr.kind === 'literal') return []
    // Engines differ in whether 0 and -0 are in an order.
    if (expr.type === 'json' && printing.dialect === 'postgres')
      return [`cast(${printExpression(expr, printing)} as text) collate "C" nulls last`]
    if (expr.type === 'number') return [`(${printExpression(expr, printing)} + 0) nulls last`]
    return [printSortKey({ expr, isDescending: false, nullsFirst: false }, printing)]
  })
  return [...orderBy.map((key) => printSortKey(key, printing)), ...shown]
}
