import type { z } from 'zod'
import { formatInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { ErasedStore, ErasureView } from '../../protocol/rights/erasure.ts'
import type { NoticeState } from '../../protocol/rights/recipient-notice.ts'
import type { sentNoticeSchema } from '../../protocol/http/rights-api.ts'
import type { MemberAddresses } from '../officer/member-addresses.ts'
import type { PartyNames } from '../officer/party-names.ts'
import type { NoticeRecord } from './recipient-notice-store.ts'
import type { WithdrawalRecord } from './withdrawal-store.ts'

export type SentNoticeView = z.input<typeof sentNoticeSchema>

/** Where a notice stands now. */
function noticeState(record: NoticeRecord, now: Instant): NoticeState {
  if (record.acknowledgedAt !== undefined) return 'acknowledged'
  if (now > record.dueAt) return 'overdue'
  if (record.deliveredAt !== undefined) return 'delivered'
  return record.sentAt === undefined ? 'waiting' : 'sent'
}

/** A notice for the site's side: whom it went to and what became of it, and not whom it names. */
export function noticeView(
  record: NoticeRecord,
  { names, addresses, now }: { names: PartyNames; addresses: MemberAddresses; now: Instant },
): SentNoticeView {
  const { notice, kind, cause, issuer, acquirer, purpose, dataSet, releases, corrected } = record
  const name = names.get(acquirer)
  const address = addresses.get(acquirer)
  return {
    notice,
    kind,
    cause,
    issuer,
    acquirer,
    ...(name === undefined ? {} : { acquirerName: name }),
    ...(address === undefined ? {} : { acquirerAddress: address }),
    purpose,
    dataSet,
    releases: releases.length,
    ...(corrected === undefined ? {} : { columns: [...corrected.columns] }),
    state: noticeState(record, now),
    notedAt: formatInstant(record.notedAt),
    dueAt: formatInstant(record.dueAt),
    ...momentsOf(record),
    ...(record.outcome === undefined ? {} : { outcome: record.outcome }),
    ...(record.ground === undefined ? {} : { ground: record.ground }),
    receipts: [...record.receipts],
  }
}

/** What a certificate says of a notice: its recipient by name. */
export function recipientView(record: NoticeRecord, now: Instant): ErasureView['recipients'][number] {
  return {
    acquirer: record.acquirer,
    notice: record.notice,
    purpose: record.purpose,
    dataSet: record.dataSet,
    state: noticeState(record, now),
    dueAt: formatInstant(record.dueAt),
    ...momentsOf(record),
    ...(record.outcome === undefined ? {} : { outcome: record.outcome }),
    ...(record.ground === undefined ? {} : { ground: record.ground }),
    receipts: [...record.receipts],
  }
}

function momentsOf({ sentAt, deliveredAt, acknowledgedAt }: NoticeRecord) {
  return {
    ...(sentAt === undefined ? {} : { sentAt: formatInstant(sentAt) }),
    ...(deliveredAt === undefined ? {} : { deliveredAt: formatInstant(deliveredAt) }),
    ...(acknowledgedAt === undefined ? {} : { acknowledgedAt: formatInstant(acknowledgedAt) }),
  }
}

/** The network as a store of a certificate: sealed releases with rows of the person; nothing where there were none. */
export function networkStore(withdrawals: readonly WithdrawalRecord[]): ErasedStore | undefined {
  if (withdrawals.length === 0) return undefined
  const store = 'network'
  const waiting = withdrawals.filter(({ confirmedAt }) => confirmedAt === undefined).length
  if (waiting > 0) {
    const note = `${waiting} sealed releases that only their acquirers can open wait for the network to confirm that it deleted them`
    return { store, grade: 'inaccessible', note }
  }
  return withdrawals.every(({ grade }) => grade === 'permanent')
    ? { store, grade: 'permanent', note: 'sealed releases deleted by the network, its files rewritten' }
    : {
        store,
        grade: 'deleted',
        note: 'sealed releases deleted by the network; its files wait to be rewritten',
      }
}
