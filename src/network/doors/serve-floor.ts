import { sql } from 'kysely'
import { NETWORK_API } from '../../protocol/http/network-endpoints.ts'
import { closeFloorLimit } from '../floor/close-floor-limits.ts'
import { findFloorLimits, floorView } from '../floor/floor-store.ts'
import { giveFloorLimit } from '../floor/give-floor-limit.ts'
import { receiveLocalAnswer } from '../floor/receive-local-answer.ts'
import { requireSite } from '../membership/directory.ts'
import { requireOperator, requireSelf } from '../membership/principal.ts'
import { requireKey } from './require-key.ts'
import type { NetworkDoor, NetworkParts } from './network-parts.ts'
import { wireCapture } from './wire-capture.ts'

/** What sites may approve without reaching the network, and what they approved so. */
export function serveFloor(door: NetworkDoor, parts: NetworkParts): void {
  const { db, clock, ids, name, keys, clearing, membership, termsOfUse, events } = parts
  const { directory } = membership
  door.serve(NETWORK_API.giveFloorLimit, async ({ caller, params, body, raw }) => {
    requireOperator(caller)
    const wanted = { ...body, site: params.id, idempotencyKey: requireKey(raw) }
    const given = await giveFloorLimit(
      { db, clock, ids, directory, termsOfUse, name, key: keys.signing },
      wanted,
    )
    events.floorLimitChanged({ limit: given.id, site: given.site, change: 'given' })
    return floorView(given)
  })
  door.serve(NETWORK_API.listFloorLimits, async ({ caller, params }) => {
    if (caller.kind !== 'operator') requireSelf(caller, params.id)
    requireSite(directory, params.id)
    const rows = await findFloorLimits(db, sql`f.is_open and f.site = ${params.id}`)
    const acquirers = new Set(rows.map(({ acquirer }) => acquirer))
    const members = [...acquirers].flatMap((id) => directory.member(id) ?? [])
    // Who signs for an acquirer is known by its own keys too.
    const processors = new Set(members.flatMap((member) => member.processors))
    const others = [...processors]
      .filter((id) => !acquirers.has(id))
      .flatMap((id) => directory.member(id) ?? [])
    return { items: rows.map(floorView), members: [...members, ...others] }
  })
  door.serve(NETWORK_API.closeFloorLimit, async ({ caller, params }) => {
    requireSelf(caller, params.id)
    const closed = await closeFloorLimit({ db, clock }, { site: params.id, limit: params.limit })
    events.floorLimitChanged({ limit: closed.id, site: closed.site, change: 'closed' })
    return floorView(closed)
  })
  door.serve(NETWORK_API.clearLocal, async ({ caller, params, body }) => {
    requireSelf(caller, params.id)
    const site = requireSite(directory, params.id)
    return wireCapture(await receiveLocalAnswer(clearing, { site, message: body }))
  })
}
