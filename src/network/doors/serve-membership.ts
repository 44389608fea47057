import { Fault } from '../../kernel/faults.ts'
import { NETWORK_API } from '../../protocol/http/network-endpoints.ts'
import { requireMember, requireSite } from '../membership/directory.ts'
import { isOverseer, requireOperator, requireSelf } from '../membership/principal.ts'
import { declareCollusion } from '../membership/declare-collusion.ts'
import { addMember, addSite, setProcessors, setStatus } from '../membership/register.ts'
import { rotateKeys } from '../membership/rotate-keys.ts'
import { readDailyLimits } from '../membership/read-limits.ts'
import { setDailyLimits } from '../membership/set-limits.ts'
import { memberIdSchema, wireMoney } from '../../protocol/wire.ts'
import { pageAfter } from './cursor.ts'
import type { NetworkDoor, NetworkParts } from './network-parts.ts'

/** Members, sites, their keys, their standing. */
export function serveMembership(door: NetworkDoor, parts: NetworkParts): void {
  serveMembers(door, parts)
  serveMemberChanges(door, parts)
  serveSites(door, parts)
}

function serveMembers(door: NetworkDoor, { membership, events }: NetworkParts): void {
  const { directory } = membership
  door.serve(NETWORK_API.addMember, async ({ caller, body }) => {
    requireOperator(caller)
    const member = await addMember(membership, body)
    events.memberChanged({ name: member.id, change: 'added' })
    return member
  })
  door.serve(NETWORK_API.listMembers, ({ query: { cursor, limit, role } }) => {
    const members = directory.members().filter(({ roles }) => role === undefined || roles.includes(role))
    return Promise.resolve(pageAfter(members, { cursor, limit, nameOf: ({ id }) => id }))
  })
  door.serve(NETWORK_API.member, ({ params }) => Promise.resolve(requireMember(directory, params.id)))
}

function serveMemberChanges(door: NetworkDoor, parts: NetworkParts): void {
  const { membership, events, accessTokens } = parts
  const { directory, db } = membership
  door.serve(NETWORK_API.rotateMemberKeys, async ({ caller, params, body }) => {
    requireSelf(caller, params.id)
    await rotateKeys(membership, { name: params.id, rotation: body.rotation })
    accessTokens.revoke(params.id)
    events.memberChanged({ name: params.id, change: 'keys' })
    return requireMember(directory, params.id)
  })
  door.serve(NETWORK_API.setMemberStatus, async ({ caller, params, body }) => {
    requireOperator(caller)
    requireMember(directory, params.id)
    await setStatus(membership, { name: params.id, status: body.status })
    events.memberChanged({ name: params.id, change: 'status' })
    return requireMember(directory, params.id)
  })
  door.serve(NETWORK_API.setProcessors, async ({ caller, params, body }) => {
    requireSelf(caller, params.id)
    const member = await setProcessors(membership, { member: params.id, processors: body.processors })
    events.memberChanged({ name: params.id, change: 'processors' })
    return member
  })
  door.serve(NETWORK_API.declareCollusion, async ({ caller, params, body }) => {
    requireOperator(caller)
    const member = await declareCollusion(membership, { member: params.id, others: body.with })
    events.memberChanged({ name: params.id, change: 'collusion' })
    return member
  })
  door.serve(NETWORK_API.setLimits, async ({ caller, params, body }) => {
    requireOperator(caller)
    requireMember(directory, params.id)
    await setDailyLimits(db, { member: params.id, daily: body.daily })
    events.memberChanged({ name: params.id, change: 'limits' })
    return { daily: body.daily.map(wireMoney) }
  })
  door.serve(NETWORK_API.listLimits, async ({ caller, query: { member, cursor, limit } }) => {
    // What somebody may spend in a day is between it and the operator.
    const seesAll = isOverseer(caller)
    if (!seesAll && member !== undefined) requireSelf(caller, member)
    const set = await readDailyLimits(db, seesAll ? member : memberIdSchema.parse(caller.name))
    const { items, ...next } = pageAfter(set, { cursor, limit, nameOf: (one) => one.member })
    return { items: items.map((one) => ({ member: one.member, daily: one.daily.map(wireMoney) })), ...next }
  })
}

function serveSites(door: NetworkDoor, { membership, events, accessTokens }: NetworkParts): void {
  const { directory } = membership
  door.serve(NETWORK_API.addSite, async ({ caller, body }) => {
    requireOperator(caller)
    const site = await addSite(membership, body)
    events.memberChanged({ name: site.id, change: 'added' })
    return site
  })
  door.serve(NETWORK_API.listSites, ({ query: { cursor, limit } }) =>
    Promise.resolve(pageAfter(directory.sites(), { cursor, limit, nameOf: ({ id }) => id })),
  )
  door.serve(NETWORK_API.site, ({ params }) => Promise.resolve(requireSite(directory, params.id)))
  door.serve(NETWORK_API.rotateSiteKeys, async ({ caller, params, body }) => {
    requireSelf(caller, params.id)
    if (caller.kind !== 'site')
      throw new Fault('fault.forbidden', { what: 'Cannot do that: this is for sites' })
    await rotateKeys(membership, { name: params.id, rotation: body.rotation })
    accessTokens.revoke(params.id)
    events.memberChanged({ name: params.id, change: 'keys' })
    return requireSite(directory, params.id)
  })
  door.serve(NETWORK_API.setSiteStatus, async ({ caller, params, body }) => {
    requireOperator(caller)
    requireSite(directory, params.id)
    await setStatus(membership, { name: params.id, status: body.status })
    events.memberChanged({ name: params.id, change: 'status' })
    return requireSite(directory, params.id)
  })
}
