import { formatInstant, instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { ErasureView } from '../../protocol/rights/erasure.ts'
import type { SiteId } from '../../protocol/wire.ts'
import { networkStore, recipientView } from '../recipients/notice-view.ts'
import type { NoticeRecord } from '../recipients/recipient-notice-store.ts'
import type { WithdrawalRecord } from '../recipients/withdrawal-store.ts'
import { KEPT, gradeOf, storeOfBackups, storesWhenDeleted } from './erased-stores.ts'
import type { ErasureRecord } from './erasure-store.ts'

/** What a certificate says beside the erasure itself. */
export interface ErasureFacts {
  readonly site: SiteId
  readonly now: Instant
  readonly notices: readonly NoticeRecord[]
  readonly withdrawals: readonly WithdrawalRecord[]
  /** The end of the last backup that holds the person. */
  readonly heldUntil: Instant | undefined
}

/** The certificate of an erasure in its wire form. */
export function erasureView(
  record: ErasureRecord,
  { site, now, notices, withdrawals, heldUntil }: ErasureFacts,
): ErasureView {
  const isBegun = record.state === 'begun'
  const serving = isBegun
    ? storesWhenDeleted().map((store) => ({ ...store, grade: 'inaccessible' as const }))
    : record.stores
  const own = [...serving, storeOfBackups(heldUntil, record.many !== undefined)]
  const network = networkStore(withdrawals)
  const stores = network ? [...own, network] : own
  return {
    erasure: record.erasure,
    site,
    issuer: record.issuer,
    state: record.state,
    grade: gradeOf(own),
    reason: record.reason,
    requestedBy: record.requestedBy,
    requestedAt: formatInstant(record.requestedAt),
    ...(record.many === undefined ? {} : { people: record.many.count }),
    ...(record.deletedAt === undefined ? {} : { deletedAt: formatInstant(record.deletedAt) }),
    permanentBy: formatInstant(instant(Math.max(record.permanentBy, heldUntil ?? 0))),
    ...(record.permanentAt === undefined ? {} : { permanentAt: formatInstant(record.permanentAt) }),
    stores,
    recipients: notices.map((notice) => recipientView(notice, now)),
    kept: [...KEPT],
    receipts: [...record.receipts],
  }
}
