import type { Door } from '../../kernel/http/door.ts'
import { SITE_API } from '../../protocol/http/site-api.ts'
import type { MemberId } from '../../protocol/wire.ts'
import { forbidden, notFound } from './may.ts'
import type { DoorCaller, SiteActs } from './site-acts.ts'

/** `/v1/asks` and what goes with it: for acquirers on the local network. */
export function serveLocalAsks(door: Door<DoorCaller>, acts: SiteActs): void {
  door.serve(SITE_API.localOffers, ({ query }) => acts.offers(query))
  door.serve(SITE_API.localAsk, ({ caller, body }) =>
    acts.localAsk({ jws: body.ask, sender: requireMember(caller) }),
  )
  door.serve(SITE_API.localAskState, async ({ caller, params }) => {
    const found = await acts.findLocalAnswer({ ask: params.id, caller: requireMember(caller) })
    if (!found) throw notFound()
    return found
  })
  door.serve(SITE_API.siteFloorLimits, ({ caller, query }) => {
    if (caller.kind !== 'operator') throw forbidden()
    return acts.floorLimits(query)
  })
}

/** A member may be an issuer here and an acquirer too; what it may ask is decided by its record, not by this. */
function requireMember(caller: DoorCaller): MemberId {
  if (caller.kind !== 'acquirer' && caller.kind !== 'issuer') throw forbidden()
  return caller.member
}
