import type { Instant } from '../../kernel/clock.ts'
import { ok } from '../../kernel/result.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'
import { endedColumns } from '../../protocol/law/retention.ts'
import type { CheckedQuery } from '../query/bound/bound-query.ts'
import { dropOutputs } from '../query/narrow.ts'

/**
 * The question without what has reached the end of its retention, whether or not it was deleted yet; `dropped` names
 * those columns. Declines with `declined.retention` when nothing would be left, or such a column decides over rows.
 */
export function withinRetention(
  checked: CheckedQuery,
  { manifests, now, text }: { manifests: readonly Manifest[]; now: Instant; text: string },
): Outcome<{ readonly checked: CheckedQuery; readonly dropped: readonly string[] }> {
  const ended = manifests.flatMap((manifest) =>
    endedColumns(manifest, now).map((column) => ({ dataSet: manifest.dataSet, column })),
  )
  const missing = ended.filter(({ dataSet, column }) =>
    checked.uses.some((use) => use.dataSet === dataSet && use.column === column),
  )
  if (missing.length === 0) return ok({ checked, dropped: [] })
  const narrowed = dropOutputs(checked, missing, text)
  if (narrowed.ok) return narrowed
  const names = [...new Set(missing.map(({ column }) => `"${column}"`))].join(', ')
  const { position } = narrowed.error
  const detail = `Kept no longer, and the question cannot do without it: ${names}`
  return declined(
    'declined.retention',
    position === undefined ? { detail } : { detail: `${detail}, at character ${position}`, position },
  )
}
