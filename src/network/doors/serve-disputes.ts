import { sql } from 'kysely'
import { NETWORK_API } from '../../protocol/http/network-endpoints.ts'
import { Fault } from '../../kernel/faults.ts'
import {
  answerDispute,
  confirmDeletion,
  decideDispute,
  raiseDispute,
  removeTexts,
  withdrawDispute,
} from '../disputes/dispute-acts.ts'
import { findDisputes, sideOf, wireDispute } from '../disputes/dispute-store.ts'
import { DISPUTE_TEXT_TABLES } from '../disputes/dispute-texts.ts'
import type { StoredDispute } from '../disputes/dispute-store.ts'
import { ROLES } from '../../protocol/member.ts'
import { isOverseer, requireOperator, requireRole } from '../membership/principal.ts'
import type { Principal } from '../membership/principal.ts'
import { numberCursor } from './cursor.ts'
import type { NetworkDoor, NetworkParts } from './network-parts.ts'

/** Disputes over trades. */
export function serveDisputes(door: NetworkDoor, parts: NetworkParts): void {
  const { db, clock, log } = parts
  const toWire = (dispute: StoredDispute) => wireDispute(dispute, clock.now())
  const find = async (caller: Principal, id: string) => {
    const [dispute] = await findDisputes(db, sql`d.id = ${id}`, 1)
    if (dispute && maySee(caller, dispute)) return dispute
    throw new Fault('fault.not_found', { what: 'There is no such dispute' })
  }
  const told = async (dispute: Promise<StoredDispute>) => {
    const found = await dispute
    await log.publish()
    return toWire(found)
  }
  door.serve(NETWORK_API.raiseDispute, ({ caller, body }) =>
    told(raiseDispute(parts, { request: body, by: requireRole(caller, ROLES).id })),
  )
  door.serve(NETWORK_API.listDisputes, async ({ caller, query: { cursor, limit } }) => {
    const before = numberCursor(cursor)
    const isBefore = before === undefined ? sql`true` : sql`d.number < ${before}`
    const isOwn = isOverseer(caller)
      ? sql`true`
      : sql`${caller.name} in (d.acquirer, d.issuer, d.issuer_processor, d.custodian)`
    const found = await findDisputes(db, sql`${isBefore} and ${isOwn}`, limit + 1)
    const items = found.slice(0, limit)
    const last = items.at(-1)
    return {
      items: items.map(toWire),
      ...(found.length > limit && last ? { nextCursor: last.number.toString() } : {}),
    }
  })
  door.serve(NETWORK_API.dispute, async ({ caller, params }) => toWire(await find(caller, params.id)))
  door.serve(NETWORK_API.answerDispute, async ({ caller, params, body }) => {
    await find(caller, params.id)
    return told(answerDispute(parts, { ...params, by: requireRole(caller, ROLES).id, answer: body }))
  })
  door.serve(NETWORK_API.withdrawDispute, async ({ caller, params }) => {
    await find(caller, params.id)
    return told(withdrawDispute(parts, { ...params, by: caller.name }))
  })
  door.serve(NETWORK_API.decideDispute, ({ caller, params, body }) => {
    requireOperator(caller)
    return told(decideDispute(parts, { ...params, by: caller.name, decided: body }))
  })
  door.serve(NETWORK_API.confirmDeletion, async ({ caller, params }) => {
    await find(caller, params.id)
    return told(confirmDeletion(parts, { ...params, by: caller.name }))
  })
  door.serve(NETWORK_API.removeDisputeTexts, async ({ caller, params }) => {
    requireOperator(caller)
    const removed = await told(removeTexts(parts, { ...params, by: caller.name }))
    await parts.purge.purge(DISPUTE_TEXT_TABLES)
    return removed
  })
}

function maySee(caller: Principal, dispute: StoredDispute): boolean {
  return isOverseer(caller) || sideOf(dispute, caller.name) !== undefined
}
