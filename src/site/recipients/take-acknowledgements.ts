import { readAcknowledgement } from '../../protocol/rights/recipient-notice.ts'
import type { Acknowledgement } from '../../protocol/rights/recipient-notice.ts'
import { signingKeysOfChain } from '../../protocol/proof/key-chain.ts'
import type { MemberRecord } from '../../protocol/http/network-api.ts'
import type { NoticeNews } from '../../protocol/http/notice-api.ts'
import type { NetworkLine } from '../line/network-line.ts'
import type { SiteContext } from '../site-context.ts'
import {
  addNoticeReceipt,
  findNotices,
  markDelivered,
  saveAcknowledgement,
} from './recipient-notice-store.ts'
import type { NoticeRecord } from './recipient-notice-store.ts'

/**
 * Takes what the network says of notices, and confirms what is durable here. An acknowledgement counts only if it is
 * signed by the recipient itself, over the text that it was sent: the network can neither make one nor move one.
 */
export async function takeNews(
  site: SiteContext,
  { line, news }: { line: NetworkLine; news: readonly NoticeNews[] },
): Promise<void> {
  const items: { notice: string; isFinal: boolean }[] = []
  for (const one of news) {
    const [record] = await findNotices(site.db, { notice: one.notice })
    if (!record) continue
    const { notice } = record
    if (one.deliveredAt !== undefined) await markDelivered(site.db, { notice, at: one.deliveredAt })
    if (one.acknowledgement !== undefined && record.acknowledgedAt === undefined)
      await takeAcknowledgement(site, { line, record, jws: one.acknowledgement })
    items.push({ notice, isFinal: one.acknowledgement !== undefined })
  }
  if (items.length > 0) await line.confirmNews(items)
}

async function takeAcknowledgement(
  site: SiteContext,
  { line, record, jws }: { line: NetworkLine; record: NoticeRecord; jws: string },
): Promise<void> {
  const { notice, acquirer, subjectOf } = record
  const member = await line.member(acquirer)
  const pinned = await site.pins.pin({ member, now: site.clock.now() })
  const said = pinned.ok ? verified(jws, { site: site.site, record, member }) : undefined
  if (!said) {
    // Confirmed all the same: it does not get better by coming again, and the notice stays open here.
    site.events.acknowledgementRefused({ notice, acquirer })
    return
  }
  const { outcome, ground } = said
  const now = site.clock.now()
  await site.db.transaction().execute(async (tx) => {
    if (!(await saveAcknowledgement(tx, { notice, jws, outcome, ground, now }))) return
    const about = subjectOf === undefined ? {} : { subjectOf }
    const [receipt] = await site.log.issue(tx, [
      { kind: 'acknowledgement', notice, acquirer, outcome, ...about },
    ])
    if (receipt) await addNoticeReceipt(tx, { notice, receipt: receipt.sequence })
  })
  await site.log.publish()
  site.events.noticeAcknowledged({ notice, acquirer, outcome })
}

/** An acknowledgement that holds: signed with a key of the recipient's chain, of this notice, over what it was sent. */
function verified(
  jws: string,
  { site, record, member }: { site: string; record: NoticeRecord; member: MemberRecord },
): Acknowledgement | undefined {
  const said = readAcknowledgement(jws, signingKeysOfChain(member.id, member.firstKeys, member.rotations))
  const isOfThis =
    said?.notice === record.notice &&
    said.site === site &&
    said.acquirer === record.acquirer &&
    record.digests.includes(said.digest)
  return isOfThis ? said : undefined
}
