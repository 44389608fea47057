import { NETWORK_API } from '../../protocol/http/network-endpoints.ts'
import { requireMember } from '../membership/directory.ts'
import { isOverseer, requireOperator, requireSelf } from '../membership/principal.ts'
import { memberIdSchema } from '../../protocol/wire.ts'
import type { NetworkDoor, NetworkParts } from './network-parts.ts'

/** The terms of use: what they are, and who accepted them. */
export function serveTerms(
  door: NetworkDoor,
  { name, clock, termsOfUse, membership, events }: NetworkParts,
): void {
  door.serve(NETWORK_API.terms, () => Promise.resolve({ items: [...termsOfUse.list(clock.now())] }))
  door.serve(NETWORK_API.publishTerms, async ({ caller, body }) => {
    requireOperator(caller)
    const now = clock.now()
    const published = await termsOfUse.publish({ text: body.text, from: body.from, now })
    const found = termsOfUse.list(now).find(({ version }) => version === published)
    if (!found) throw new TypeError('Terms that were just published are not there')
    return found
  })
  door.serve(NETWORK_API.acceptTerms, async ({ caller, params, body }) => {
    requireSelf(caller, params.id)
    const member = requireMember(membership.directory, params.id)
    const accepted = await termsOfUse.accept(
      { member, statement: body.statement },
      { network: name, now: clock.now() },
    )
    events.memberChanged({ name: member.id, change: 'terms' })
    return accepted
  })
  door.serve(NETWORK_API.acceptances, async ({ caller, query }) => {
    if (!isOverseer(caller) && query.member !== undefined) requireSelf(caller, query.member)
    const member = isOverseer(caller) ? query.member : memberIdSchema.parse(caller.name)
    return { items: [...(await termsOfUse.acceptances(member))] }
  })
}
