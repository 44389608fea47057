import type { MemberId } from '../../protocol/wire.ts'
import type { SiteActs, SiteCaller } from './site-acts.ts'

/**
 * The caller as whom they speak: a person who names somebody else, and may decide for them now, is that child's
 * guardian; everybody else is who they are, and is refused by what comes next as if nobody were there.
 */
export async function speakFor(
  caller: SiteCaller,
  { ref, issuer }: { ref: string; issuer?: MemberId | undefined },
  acts: Pick<SiteActs, 'principals'>,
): Promise<SiteCaller> {
  if (caller.kind !== 'person' || ref === 'me') return caller
  const { identities } = caller
  const isOwn = (one: MemberId, person: string) => person === ref && (issuer === undefined || issuer === one)
  if (identities.some((one) => isOwn(one.issuer, one.person))) return caller
  for (const { issuer: known } of identities) {
    if (issuer !== undefined && issuer !== known) continue
    const child = { issuer: known, person: ref }
    const guardianship = await acts.principals.findPower({ identities, child })
    if (guardianship !== undefined)
      return { kind: 'guardian', guardianship, ...child, identities: [child], guardian: caller }
  }
  return caller
}

/** How the record says who did something. */
export function byOf(caller: SiteCaller): string {
  switch (caller.kind) {
    case 'issuer':
      return caller.officer === undefined ? `issuer:${caller.member}` : `officer:${caller.officer}`
    case 'guardian':
      return `guardian:${caller.guardianship}`
    case 'operator':
      return caller.officer === undefined ? 'operator' : `officer:${caller.officer}`
    case 'person':
    case 'regulator':
      return caller.kind
  }
}
