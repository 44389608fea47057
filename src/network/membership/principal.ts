import { Fault } from '../../kernel/faults.ts'
import type { Role } from '../../protocol/member.ts'
import { OPERATOR } from '../../protocol/http/network-api.ts'
import type { MemberRecord, SiteRecord } from '../../protocol/http/network-api.ts'

/** Who sends a request. */
export type Principal =
  | { readonly kind: 'operator'; readonly name: typeof OPERATOR }
  | { readonly kind: 'member'; readonly name: string; readonly member: MemberRecord }
  | { readonly kind: 'site'; readonly name: string; readonly site: SiteRecord }

export const operatorPrincipal: Principal = { kind: 'operator', name: OPERATOR }

/** Only the network's operator. */
export function requireOperator(principal: Principal): void {
  if (principal.kind !== 'operator') throw forbidden('this is for the operator')
}

/** Only the member or site of that name. */
export function requireSelf(principal: Principal, name: string): void {
  if (principal.name !== name) throw forbidden('this is for somebody else')
}

/** A member with one of the roles. */
export function requireRole(principal: Principal, roles: readonly Role[]): MemberRecord {
  if (principal.kind === 'member' && principal.member.roles.some((role) => roles.includes(role))) {
    return principal.member
  }
  throw forbidden(`this is for members with the role ${roles.join(' or ')}`)
}

/** The operator, or a member with the role to look at everything. */
export function requireOverseer(principal: Principal): void {
  if (!isOverseer(principal)) throw forbidden('this is for the operator and for regulators')
}

/** Whether everybody's asks and money may be seen. */
export function isOverseer(principal: Principal): boolean {
  return (
    principal.kind === 'operator' ||
    (principal.kind === 'member' && principal.member.roles.includes('regulator'))
  )
}

function forbidden(why: string): Fault {
  return new Fault('fault.forbidden', { what: `Cannot do that: ${why}` })
}
