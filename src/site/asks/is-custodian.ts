import type { MemberRecord } from '../../protocol/http/network-api.ts'
import type { SiteParts } from './site-parts.ts'

/** Whether a member keeps the data of this site, or was declared to put its answers together with who does. */
export function isCustodian(
  { id, colludesWith }: MemberRecord,
  { custodian }: Pick<SiteParts, 'custodian'>,
): boolean {
  return id === custodian || colludesWith.includes(custodian)
}
