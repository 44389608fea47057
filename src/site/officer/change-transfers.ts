import { ADEQUACY_DECISIONS, TRANSFER_SAFEGUARDS } from '../../protocol/law/legal-zones.ts'
import type { TransferRow } from '../../protocol/http/officer-api.ts'
import type { SiteContext } from '../site-context.ts'
import { transferTable } from './transfer-table.ts'

/** Grounds for transfers as the officer sees and switches them. */
export interface TransferActs {
  transfers(): Promise<TransferRow[]>
  /** `undefined` when there is no such ground. */
  removeTransfer(request: { id: string; reason: string }): Promise<TransferRow | undefined>
  restoreTransfer(id: string): Promise<TransferRow | undefined>
}

/** Removing a ground holds for the next ask that is decided. */
export function transferActs(site: SiteContext): TransferActs {
  const rows = () => transferTable(site.clock.now(), (id) => site.transferRemovals.find(id))
  const isKnown = (id: string) =>
    ADEQUACY_DECISIONS.some((decision) => decision.id === id) ||
    TRANSFER_SAFEGUARDS.some((name) => name === id)
  return {
    transfers: () => Promise.resolve([...rows()]),
    async removeTransfer({ id, reason }) {
      if (!isKnown(id)) return undefined
      await site.transferRemovals.remove({ ground: id, reason, now: site.clock.now() })
      return rows().find((row) => row.id === id)
    },
    async restoreTransfer(id) {
      if (!isKnown(id)) return undefined
      await site.transferRemovals.restore({ ground: id, now: site.clock.now() })
      return rows().find((row) => row.id === id)
    },
  }
}
