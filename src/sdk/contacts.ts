import type { MemberContact } from '../protocol/member-contact.ts'
import { NETWORK_API } from '../protocol/http/network-endpoints.ts'
import type { HttpClient } from './http-client.ts'

/** Where the members of a network are written to. */
export interface Contacts {
  /** Of everybody for the operator, a regulator and a site; the caller's own for a member. */
  list(): Promise<readonly MemberContact[]>
  /** The member, or the operator for it; the mailbox of a role. */
  set(contact: { member: string; address: string }): Promise<MemberContact>
  /** Takes it back, the member or the operator for it; gives whether there was one. */
  remove(member: string): Promise<boolean>
}

export function openContacts(client: HttpClient): Contacts {
  return {
    list: async () => (await client.call(NETWORK_API.listContacts)).items,
    set: ({ member, address }) =>
      client.call(NETWORK_API.setContact, { params: { id: member }, body: { address }, isRepeatable: true }),
    remove: async (member) =>
      (await client.call(NETWORK_API.removeContact, { params: { id: member } })).isRemoved,
  }
}
