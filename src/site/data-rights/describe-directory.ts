import type { DataRightsDirectory } from '../../protocol/http/data-rights-api.ts'
import { OWN_EXERCISES, PROTOCOL_EXERCISES } from '../../protocol/http/data-rights-protocol.ts'
import { readPartyContacts } from '../officer/party-contacts.ts'
import type { SiteContext } from '../site-context.ts'
import type { DataRightsSettings } from './directory.ts'

const VERIFICATIONS = ['email', 'phone_number', 'address'] as const

/** What the settings name, as entries for the protocol's service directory (3.05). */
export async function describeDirectory(
  { db }: Pick<SiteContext, 'db'>,
  { agents, businesses }: DataRightsSettings,
  { apiBase, issuer }: { apiBase: string; issuer?: string | undefined },
): Promise<DataRightsDirectory> {
  const contacts = await readPartyContacts(db)
  const own = businesses.filter((business) => issuer === undefined || business.issuer === issuer)
  return {
    agents: agents.map(({ id, name }) => ({ id, name })),
    businesses: own.map((business) => {
      const contact = contacts.get(business.issuer)
      const { dataProtectionOfficer } = contact ?? {}
      return {
        id: business.id,
        name: contact?.name ?? business.issuer,
        api_base: apiBase,
        supported_actions: PROTOCOL_EXERCISES,
        extended_actions: OWN_EXERCISES,
        supported_verifications: VERIFICATIONS.filter((claim) => claim === business.personClaim),
        ...(contact === undefined ? {} : { business_contact: dataProtectionOfficer?.email ?? contact.email }),
      }
    }),
  }
}
