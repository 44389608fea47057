import { sql } from 'kysely'
import { formatInstant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Transfer } from '../../protocol/http/money-api.ts'
import { NETWORK_API } from '../../protocol/http/network-endpoints.ts'
import type { NothingToSettle, Settlement } from '../../protocol/money/settlement.ts'
import { memberIdSchema, wireMoney } from '../../protocol/wire.ts'
import { listBalances, trialBalance } from '../ledger/balances.ts'
import { bookTransfer } from '../ledger/book-transfer.ts'
import { listTransfers } from '../ledger/list-transfers.ts'
import { ownersOf } from '../ledger/owners-of.ts'
import { requireMember } from '../membership/directory.ts'
import { isOverseer, requireOperator, requireOverseer } from '../membership/principal.ts'
import type { Principal } from '../membership/principal.ts'
import { findSettlement, listSettlements, positionsOf } from '../settlement/list-settlements.ts'
import { readInvoice } from '../settlement/read-invoice.ts'
import { settle } from '../settlement/settle.ts'
import { numberCursor } from './cursor.ts'
import type { NetworkDoor, NetworkParts } from './network-parts.ts'
import { requireKey } from './require-key.ts'

/** Balances, transfers, settlements. */
export function serveMoney(door: NetworkDoor, parts: NetworkParts): void {
  serveBalances(door, parts)
  serveTransfers(door, parts)
  serveSettlements(door, parts)
  serveInvoices(door, parts)
}

function serveBalances(door: NetworkDoor, { db }: NetworkParts): void {
  door.serve(NETWORK_API.balances, async ({ caller, query }) => ({
    items: [...(await listBalances(db, await visibleOwners(db, caller, query.owner)))],
  }))
  door.serve(NETWORK_API.trialBalance, ({ caller }) => {
    requireOverseer(caller)
    return trialBalance(db)
  })
}

function serveTransfers(door: NetworkDoor, { db, clock, membership, events }: NetworkParts): void {
  door.serve(NETWORK_API.transfer, async ({ caller, body, raw }) => {
    requireOperator(caller)
    if (!membership.directory.member(body.member)) {
      throw new Fault('fault.request_malformed', {
        what: `Cannot book the transfer: there is no member "${body.member}"`,
        errors: [{ field: 'member', expected: 'expected a member of the network' }],
      })
    }
    const idempotencyKey = requireKey(raw)
    const transfer = await bookTransfer({ db, clock }, { ...body, idempotencyKey })
    events.transferred({ transfer: transfer.id, kind: transfer.kind })
    return wireTransfer(transfer)
  })
  door.serve(NETWORK_API.listTransfers, async ({ caller, query: { cursor, limit, owner } }) => {
    const owners = await visibleOwners(db, caller, owner)
    const found = await listTransfers(db, { owners, before: numberCursor(cursor), limit: limit + 1 })
    const items = found.slice(0, limit).map(wireTransfer)
    const last = items.at(-1)
    return found.length > limit && last ? { items, nextCursor: last.id } : { items }
  })
}

function serveSettlements(door: NetworkDoor, { db, clock, ids, events }: NetworkParts): void {
  door.serve(NETWORK_API.settle, async ({ caller, raw }) => {
    requireOperator(caller)
    const settlement = await settle({ db, clock, ids }, requireKey(raw))
    if (!settlement) return Response.json(await nothingToSettle(db))
    events.settled({ settlement: settlement.id, positions: settlement.positions.length })
    return wireSettlement(settlement)
  })
  door.serve(NETWORK_API.listSettlements, async ({ caller, query: { cursor, limit } }) => {
    const owners = await visibleOwners(db, caller, undefined)
    const { items, next } = await listSettlements(db, { before: numberCursor(cursor), limit })
    const page = items.map((settlement) => wireSettlement(positionsOf(settlement, owners)))
    return next === undefined ? { items: page } : { items: page, nextCursor: next.toString() }
  })
  door.serve(NETWORK_API.settlement, async ({ caller, params }) => {
    const settlement = await findSettlement(db, sql`s.id = ${params.id}`)
    if (!settlement) throw new Fault('fault.not_found', { what: 'There is no such settlement' })
    return wireSettlement(positionsOf(settlement, await visibleOwners(db, caller, undefined)))
  })
}

function serveInvoices(door: NetworkDoor, { db, membership }: NetworkParts): void {
  door.serve(NETWORK_API.invoice, async ({ caller, params, query }) => {
    const id = query.member ?? (caller.kind === 'member' ? memberIdSchema.parse(caller.name) : undefined)
    if (id === undefined) {
      throw new Fault('fault.request_malformed', {
        what: 'Cannot write an invoice for nobody: say whose',
        errors: [{ field: 'member', expected: 'expected a member of the network' }],
      })
    }
    const isOwn = caller.kind === 'member' && caller.name === id
    const settlement = await findSettlement(db, sql`s.id = ${params.id}`)
    if (!settlement || !(isOwn || isOverseer(caller)))
      throw new Fault('fault.not_found', { what: 'There is no such settlement' })
    const member = requireMember(membership.directory, id)
    const invoice = await readInvoice(db, { settlement, member, owners: await ownersOf(db, id) })
    return { ...invoice, ...wireWindow(settlement) }
  })
}

async function nothingToSettle(db: NetworkParts['db']): Promise<NothingToSettle> {
  const { items } = await listSettlements(db, { before: undefined, limit: 1 })
  const [newest] = items
  return { nothingToSettle: true, ...(newest ? { newest: newest.id } : {}) }
}

/** Whose accounts a caller may look into; `undefined` means everybody's. */
async function visibleOwners(
  db: NetworkParts['db'],
  caller: Principal,
  owner: string | undefined,
): Promise<readonly string[] | undefined> {
  if (isOverseer(caller)) return owner === undefined ? undefined : [owner]
  const own = caller.kind === 'member' ? await ownersOf(db, caller.name) : []
  return owner === undefined ? own : own.filter((name) => name === owner)
}

function wireTransfer(transfer: Transfer) {
  return { ...transfer, amount: wireMoney(transfer.amount), time: formatInstant(transfer.time) }
}

function wireWindow({ from, until }: Pick<Settlement, 'from' | 'until'>) {
  return { ...(from === undefined ? {} : { from: formatInstant(from) }), until: formatInstant(until) }
}

function wireSettlement({ from, until, ...settlement }: Settlement) {
  return { ...settlement, ...wireWindow({ from, until }) }
}
