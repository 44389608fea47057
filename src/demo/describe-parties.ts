import { remediesFor } from '../protocol/law/supervisory-authorities.ts'
import type { Officer } from '../sdk/officer.ts'
import { ISSUER, MEMBERS } from './demo-parties.ts'
import type { DemoSite } from './demo-parties.ts'

/** Where the parties of the demonstration say they are; made up like their names. */
const ADDRESSES: Readonly<Record<string, string>> = {
  [ISSUER]: '1 Eyre Square, Galway',
  'claddagh-edge': '4 Claddagh Quay, Galway',
  'elbe-edge': 'Elbufer 4, Dresden',
  'limmat-edge': 'Limmatquai 4, Zürich',
}

/** Says who controller and processor of a site are, so that its register and notices name them (GDPR Art. 13(1)(a), 30(1)(a)). */
export async function describeParties(
  { custodian }: DemoSite,
  { issuer, operator }: { issuer: Officer; operator: Officer },
): Promise<void> {
  await issuer.describeParty(ISSUER, contactOf(ISSUER))
  await operator.describeParty(custodian, contactOf(custodian))
}

function contactOf(id: string): Parameters<Officer['describeParty']>[1] {
  const { name = id, country = 'IE' } = MEMBERS.find((member) => member.id === id) ?? {}
  return {
    name,
    address: ADDRESSES[id] ?? name,
    country,
    email: `privacy@${id}.example`,
    dataProtectionOfficer: { name: 'The officer of the demonstration', email: `officer@${id}.example` },
    supervisoryAuthority: remediesFor({ residence: undefined, siteCountry: country }).authority.name,
  }
}
