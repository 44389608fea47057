import { NETWORK_API } from '../../protocol/http/network-endpoints.ts'
import { memberIdSchema } from '../../protocol/wire.ts'
import { listContacts, removeContact, setContact } from '../membership/contacts.ts'
import { requireMember } from '../membership/directory.ts'
import { isOverseer, requireSelf } from '../membership/principal.ts'
import type { NetworkDoor, NetworkParts } from './network-parts.ts'

/** Where members are written to. */
export function serveContacts(door: NetworkDoor, { db, clock, membership, events }: NetworkParts): void {
  door.serve(NETWORK_API.setContact, async ({ caller, params, body }) => {
    if (caller.kind !== 'operator') requireSelf(caller, params.id)
    const member = requireMember(membership.directory, params.id)
    const contact = await setContact({ db, clock }, { member: member.id, address: body.address })
    events.memberChanged({ name: member.id, change: 'contact' })
    return contact
  })
  door.serve(NETWORK_API.removeContact, async ({ caller, params }) => {
    if (caller.kind !== 'operator') requireSelf(caller, params.id)
    const member = requireMember(membership.directory, params.id)
    const isRemoved = await removeContact(db, member.id)
    if (isRemoved) events.memberChanged({ name: member.id, change: 'contact' })
    return { member: member.id, isRemoved }
  })
  door.serve(NETWORK_API.listContacts, async ({ caller, query }) => {
    // A site tells its custodian of an incident, and the acquirers that were given something.
    const seesAll = isOverseer(caller) || caller.kind === 'site'
    if (!seesAll && query.member !== undefined) requireSelf(caller, query.member)
    const member = seesAll ? query.member : memberIdSchema.parse(caller.name)
    return { items: [...(await listContacts(db, member))] }
  })
}
