import { PeerRefusal } from '../../kernel/http/call-json.ts'
import type { KeySet } from '../../protocol/member.ts'
import type { MemberRecord } from '../../protocol/http/network-api.ts'
import type { MemberId } from '../../protocol/wire.ts'
import type { NetworkLine } from '../line/network-line.ts'
import type { SiteContext } from '../site-context.ts'
import { addDigest, findNotices, markSent } from './recipient-notice-store.ts'
import type { NoticeRecord } from './recipient-notice-store.ts'
import { signNotice } from './sign-notice.ts'

/** What delivering goes by: what the network is known to hold, so that the same text does not go again with every look. */
export interface DeliveryMemory {
  /** Digest and key of the text with the network, by notice. */
  readonly sent: Map<string, string>
}

const PAGE = 100

/**
 * Takes every notice that is not acknowledged to the network, as its recipient may be told it now: anew where that has
 * changed, or the recipient's key. A notice whose recipient is no member any more waits. Gives how many are open.
 */
export async function deliverNotices(
  site: SiteContext,
  { line, memory }: { line: NetworkLine; memory: DeliveryMemory },
): Promise<number> {
  const members = new Map<MemberId, Addressee | undefined>()
  let open = 0
  for (let after = 0; ;) {
    const page = await findNotices(site.db, { isOpen: true, after, limit: PAGE })
    for (const record of page) {
      const { acquirer } = record
      if (!members.has(acquirer)) members.set(acquirer, await addresseeOf(site, { line, acquirer }))
      const addressee = members.get(acquirer)
      if (addressee) await deliver(site, { line, memory, record, addressee })
    }
    open += page.length
    const last = page.at(-1)
    if (!last || page.length < PAGE) return open
    after = last.id
  }
}

interface Addressee {
  readonly member: MemberRecord
  readonly keys: KeySet
}

/** A recipient with its keys as this site believes them: the network cannot put keys of its own in their place. */
async function addresseeOf(
  site: SiteContext,
  { line, acquirer }: { line: NetworkLine; acquirer: MemberId },
): Promise<Addressee | undefined> {
  try {
    const member = await line.member(acquirer)
    const pinned = await site.pins.pin({ member, now: site.clock.now() })
    if (pinned.ok) return { member, keys: pinned.value }
    site.events.noticeHeldBack({ acquirer, why: pinned.error.operatorNote ?? pinned.error.code })
  } catch (error) {
    if (!(error instanceof PeerRefusal && error.status === 404)) throw error
    site.events.noticeHeldBack({ acquirer, why: 'the recipient is no member of the network' })
  }
  return undefined
}

async function deliver(
  site: SiteContext,
  {
    line,
    memory,
    record,
    addressee: { member, keys },
  }: { line: NetworkLine; memory: DeliveryMemory; record: NoticeRecord; addressee: Addressee },
): Promise<void> {
  const { notice, acquirer } = record
  const { digest, sealed, sealedTo } = await signNotice(site, { record, member, sealingKey: keys.sealing })
  const mark = `${digest} ${sealedTo}`
  if (memory.sent.get(notice) === mark) return
  await addDigest(site.db, { notice, digest })
  await line.sendNotice({ notice, acquirer, sealed })
  await markSent(site.db, { notice, digest, sealedTo, now: site.clock.now() })
  memory.sent.set(notice, mark)
  if (record.sentAt === undefined) site.events.noticeSent({ notice, acquirer, kind: record.kind })
}
