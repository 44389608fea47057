import { ok } from '../../kernel/result.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'
import { withoutUnused } from './bind/question/bind-question.ts'
import type { CheckedQuery } from './bound/bound-query.ts'
import { checkedQuery } from './check-question.ts'
import { placeOfColumn } from './text/place-of-column.ts'

/** A column that may not be used. */
export interface MissingColumn {
  readonly dataSet: string
  readonly column: string
}

/**
 * The question without the outputs that depend on columns which are not granted; `dropped` names those columns. Declines with `declined.column` when
 * such a column decides over rows or groups, or when nothing would be left: leaving it out would ask another question.
 * The decline says where `text` reads the first of them.
 */
export function dropOutputs(
  checked: CheckedQuery,
  missing: readonly MissingColumn[],
  text: string,
): Outcome<{ readonly checked: CheckedQuery; readonly dropped: readonly string[] }> {
  const uses = checked.uses.filter((use) =>
    missing.some(({ dataSet, column }) => use.dataSet === dataSet && use.column === column),
  )
  // `filter` stands within an aggregate, so it goes with the outputs that show it.
  const binding = uses.find(({ clause }) => clause !== 'select' && clause !== 'filter')
  if (binding)
    return declinedAt(
      text,
      binding,
      `Column "${binding.column}" is not granted by enough people, and the question cannot do without it`,
    )
  const gone = new Set(uses.flatMap(({ outputs }) => outputs))
  const outputs = checked.query.outputs.filter((_, index) => !gone.has(index))
  const dropped = [...new Set(uses.map(({ column }) => column))]
  const [first] = uses
  if (outputs.length === 0 && first)
    return declinedAt(
      text,
      first,
      `Not granted by enough people, and nothing else was asked for: ${dropped.map((name) => `"${name}"`).join(', ')}`,
    )
  return ok({
    checked: checkedQuery(withoutUnused({ ...checked.query, outputs }), checked.manifests),
    dropped,
  })
}

function declinedAt(text: string, column: MissingColumn, detail: string): ReturnType<typeof declined> {
  const position = placeOfColumn(text, column)
  return declined(
    'declined.column',
    position === undefined ? { detail } : { detail: `${detail}, at character ${position}`, position },
  )
}
