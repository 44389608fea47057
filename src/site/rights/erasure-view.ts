import { formatInstant } from '../../kernel/clock.ts'
import type { ErasureView } from '../../protocol/erasure.ts'
import type { SiteId } from '../../protocol/wire.ts'
import { KEPT, gradeOf, storesWhenDeleted } from './erased-stores.ts'
import type { ErasureRecord } from './erasure-store.ts'

/** The certificate of an erasure in its wire form. */
export function erasureView(record: ErasureRecord, site: SiteId): ErasureView {
  const isBegun = record.state === 'begun'
  const stores = isBegun
    ? storesWhenDeleted().map((store) => ({ ...store, grade: 'inaccessible' as const }))
    : [...record.stores]
  return {
    erasure: record.erasure,
    site,
    issuer: record.issuer,
    state: record.state,
    grade: gradeOf(stores),
    reason: record.reason,
    requestedBy: record.requestedBy,
    requestedAt: formatInstant(record.requestedAt),
    ...(record.deletedAt === undefined ? {} : { deletedAt: formatInstant(record.deletedAt) }),
    permanentBy: formatInstant(record.permanentBy),
    ...(record.permanentAt === undefined ? {} : { permanentAt: formatInstant(record.permanentAt) }),
    stores,
    kept: [...KEPT],
    receipts: [...record.receipts],
  }
}
