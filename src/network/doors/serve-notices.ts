import { LIMITS } from '../../kernel/limits.ts'
import { NETWORK_API } from '../../protocol/http/network-endpoints.ts'
import { memberIdSchema } from '../../protocol/wire.ts'
import { requireStillIn } from '../membership/authenticate.ts'
import { requireSite } from '../membership/directory.ts'
import { ROLES } from '../../protocol/member.ts'
import { requireRole, requireSelf } from '../membership/principal.ts'
import { acknowledgeNotice, confirmNews, keepNotice, newsFor, noticesFor } from '../notices/carry-notices.ts'
import { withdrawReleases } from '../notices/withdraw-releases.ts'
import { noticeBell } from './network-parts.ts'
import type { NetworkDoor, NetworkParts } from './network-parts.ts'

/** Notices to recipients of rows, and the withdrawal of what was released. */
export function serveNotices(door: NetworkDoor, parts: NetworkParts): void {
  const { notices, purge, membership, log, wakeUp, db, clock, underWay } = parts
  door.serve(NETWORK_API.sendNotice, async ({ caller, params: { id, notice }, body }) => {
    requireSelf(caller, id)
    requireSite(membership.directory, id)
    return keepNotice(notices, { notice, site: id, ...body })
  })
  door.serve(NETWORK_API.noticeNews, async ({ caller, params, query, signal }) => {
    requireSelf(caller, params.id)
    requireSite(membership.directory, params.id)
    const items = await wakeUp.lookUntil(noticeBell(params.id), {
      waitMs: Math.min(query.wait ?? 0, LIMITS.longPollMs),
      signal,
      look: () => {
        requireStillIn(membership, caller)
        return newsFor(notices, params.id)
      },
      isEnough: (found) => found.length > 0,
    })
    return { items }
  })
  door.serve(NETWORK_API.confirmNews, async ({ caller, params, body }) => {
    requireSelf(caller, params.id)
    return { confirmed: await confirmNews(notices, { site: params.id, items: body.items }) }
  })
  door.serve(NETWORK_API.listNotices, async ({ caller, query: { cursor, limit, state } }) => {
    const acquirer = requireRole(caller, ROLES).id
    const after = cursor !== undefined && /^\d{1,15}$/.test(cursor) ? BigInt(cursor) : 0n
    const isOpenOnly = state === 'open'
    const found = await noticesFor(notices, { acquirer, after, limit, isOpenOnly })
    const last = found.at(-1)
    return {
      items: found.map(({ view }) => view),
      ...(last && found.length === limit ? { nextCursor: `${last.sequence}` } : {}),
    }
  })
  door.serve(NETWORK_API.acknowledgeNotice, async ({ caller, params, body }) => {
    const acquirer = memberIdSchema.parse(requireRole(caller, ROLES).id)
    return acknowledgeNotice(notices, { notice: params.notice, acquirer, jws: body.acknowledgement })
  })
  door.serve(NETWORK_API.withdrawReleases, async ({ caller, params, body: { order, isAtOnce } }) => {
    requireSelf(caller, params.id)
    const site = requireSite(membership.directory, params.id)
    const withdrawal = { db, clock, directory: membership.directory, log, underWay }
    const items = await withdrawReleases(withdrawal, { site, order })
    await log.publish()
    if (!isAtOnce || items.every(({ grade }) => grade === 'permanent')) return { items }
    await purge.now()
    return { items: await withdrawReleases(withdrawal, { site, order }) }
  })
}
