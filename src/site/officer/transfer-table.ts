import type { Instant } from '../../kernel/clock.ts'
import { formatDate, formatInstant } from '../../kernel/clock.ts'
import { ADEQUACY_DECISIONS, TRANSFER_SAFEGUARDS } from '../../protocol/law/legal-zones.ts'
import type { TransferRow } from '../../protocol/http/officer-api.ts'
import type { TransferRemoval } from './transfer-removals.ts'

const SAFEGUARD_SOURCES: Readonly<Record<(typeof TRANSFER_SAFEGUARDS)[number], string>> = {
  scc: 'GDPR Art. 46(2)(c): standard contractual clauses, Decision (EU) 2021/914',
  bcr: 'GDPR Art. 46(2)(b), 47: binding corporate rules',
}

/** Every ground on which a result may go to a third country, as it stands on a day. */
export function transferTable(
  now: Instant,
  removalOf: (ground: string) => TransferRemoval | undefined,
): readonly TransferRow[] {
  const today = formatDate(now)
  const decisions = ADEQUACY_DECISIONS.map((decision): TransferRow => ({
    id: decision.id,
    territory: decision.territory,
    ground: 'adequacy',
    ...(decision.condition === undefined ? {} : { condition: decision.condition }),
    from: decision.from,
    ...(decision.until === undefined ? {} : { until: decision.until }),
    source: decision.source,
    state: today < decision.from ? 'not_yet' : (decision.until ?? today) < today ? 'ended' : 'in_force',
  }))
  const safeguards = TRANSFER_SAFEGUARDS.map((name): TransferRow => ({
    id: name,
    territory: '*',
    ground: 'safeguard',
    condition: 'checked by the operator of the network for the recipient',
    source: SAFEGUARD_SOURCES[name],
    state: 'in_force',
  }))
  return [...decisions, ...safeguards].map((row) => {
    const removal = removalOf(row.id)
    if (!removal) return row
    return {
      ...row,
      state: 'removed',
      removal: {
        reason: removal.reason,
        ...(removal.at === undefined ? {} : { at: formatInstant(removal.at) }),
      },
    }
  })
}
