import { Fault } from '../../kernel/faults.ts'
import type { MemberId } from '../../protocol/wire.ts'
import type { Scope, SiteCaller } from './site-acts.ts'

/**
 * Who may do what at a site's door. What a role may never do is 403; what belongs to somebody else is 404, as if it
 * were not there (security model, public texts).
 */

/** Only the operator. */
export function requireOperator(caller: SiteCaller): void {
  if (caller.kind !== 'operator') throw forbidden()
}

/** The operator or an issuer; gives what they may see of a list. */
export function requireStaff(caller: SiteCaller): Scope {
  if (caller.kind !== 'operator' && caller.kind !== 'issuer') throw forbidden()
  return caller.kind === 'issuer' ? { issuer: caller.member } : {}
}

/** The same, and a supervisory authority, which sees what the operator sees of register, receipts and incidents. */
export function requireReader(caller: SiteCaller): Scope {
  return caller.kind === 'regulator' ? {} : requireStaff(caller)
}

/** The operator, or the issuer whose data set it is. */
export function requireSteward(caller: SiteCaller, issuer: MemberId | undefined): void {
  const { issuer: own } = requireStaff(caller)
  if (issuer === undefined || (own !== undefined && own !== issuer)) throw notFound()
}

/** Whose grants and uses a caller may touch: the issuer those of its people, a person their own, a guardian the child's. The operator none. */
export function requireSubjectSide(
  caller: SiteCaller,
): Exclude<SiteCaller, { kind: 'operator' } | { kind: 'regulator' }> {
  if (caller.kind === 'operator' || caller.kind === 'regulator') throw forbidden()
  return caller
}

/** What the door says of things that are not there, or not the caller's. */
export function notFound(): Fault {
  return new Fault('fault.not_found', { what: 'No such thing here, or not for this caller' })
}

/** What the door says of what a role may never do. */
export function forbidden(): Fault {
  return new Fault('fault.forbidden', { what: 'The role of the caller may not do this' })
}
