import { LIMITS } from '../../kernel/limits.ts'
import { NETWORK_API } from '../../protocol/http/network-endpoints.ts'
import { receiveClearing, receiveDecision } from '../clearing/receive-decision.ts'
import { requireStillIn } from '../membership/authenticate.ts'
import { requireSite } from '../membership/directory.ts'
import { requireSelf } from '../membership/principal.ts'
import { siteBell } from './network-parts.ts'
import type { NetworkDoor, NetworkParts } from './network-parts.ts'
import { wireCapture } from './wire-capture.ts'

/** What sites do: pull work, push decisions and clearing records. */
export function serveWork(door: NetworkDoor, parts: NetworkParts): void {
  const { workDesk, wakeUp, clearing, membership, events } = parts
  const { directory } = membership
  door.serve(NETWORK_API.work, async ({ caller, params, query, signal }) => {
    requireSelf(caller, params.id)
    const { directory: known } = query
    const limit = Math.min(query.limit ?? LIMITS.workItemsMax, LIMITS.workItemsMax)
    let isResuming = query.resume === 'true'
    const work = await wakeUp.lookUntil(siteBell(params.id), {
      waitMs: query.wait ?? 0,
      signal,
      look: () => {
        requireStillIn(membership, caller)
        const pulled = workDesk.pull(params.id, { limit, isResuming })
        isResuming = false
        return pulled
      },
      isEnough: ({ items }) => items.length > 0 || (known !== undefined && known !== directory.mark),
    })
    events.workWaiting(params.id, workDesk.givenOut(params.id))
    // Only who asks for it knows the field.
    return known === undefined ? work : { ...work, directory: directory.mark }
  })
  door.serve(NETWORK_API.decide, async ({ caller, params, body }) => {
    requireSelf(caller, params.id)
    const site = requireSite(directory, params.id)
    return wireCapture(await receiveDecision(clearing, { site, message: body }))
  })
  door.serve(NETWORK_API.clear, async ({ caller, params, body }) => {
    requireSelf(caller, params.id)
    const site = requireSite(directory, params.id)
    return wireCapture(await receiveClearing(clearing, { site, jws: body.clearing }))
  })
}
