import type { Offer } from '../../protocol/offer.ts'
import type { Directory } from '../membership/directory.ts'

/**
 * Whether everybody is active whom an offer needs and who would share in its price: its site, who runs that, whose data it is and
 * who processes it for them. Nobody who is suspended earns by a new ask.
 */
export function isOpen(
  { site: name, issuer, issuerProcessor }: Pick<Offer, 'site' | 'issuer' | 'issuerProcessor'>,
  directory: Pick<Directory, 'site' | 'member'>,
): boolean {
  const site = directory.site(name)
  if (site?.status !== 'active') return false
  const members = [site.custodian, issuer, ...(issuerProcessor === undefined ? [] : [issuerProcessor])]
  return members.every((member) => directory.member(member)?.status === 'active')
}
