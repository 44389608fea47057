import { formatInstant } from '../kernel/clock.ts'
import type { Instant } from '../kernel/clock.ts'
import type { Money } from '../kernel/money.ts'
import type { FloorLimitView } from '../protocol/floor-limit.ts'
import type { MemberRecord, NewMember, NewSite, SiteRecord } from '../protocol/http/network-api.ts'
import type { SettleAnswer, Transfer, TrialBalance } from '../protocol/http/money-api.ts'
import type { Balance } from '../protocol/http/money-api.ts'
import type { Invoice } from '../protocol/money/invoice.ts'
import { NETWORK_API } from '../protocol/http/network-endpoints.ts'
import { wireMoney } from '../protocol/wire.ts'
import { collectPages } from './collect-pages.ts'
import type { HttpClient } from './http-client.ts'

/** The operator of a network: membership and money that comes in and goes out. */
export interface Operator {
  addMember(member: NewMember): Promise<MemberRecord>
  members(): Promise<readonly MemberRecord[]>
  /** Acquirers that put their answers together; groups that share a member become one. */
  declareCollusion(member: string, others: readonly string[]): Promise<MemberRecord>
  /** Gives a site what it may approve for an acquirer without reaching the network; held once for each key. */
  giveFloorLimit(limit: {
    site: string
    acquirer: string
    amount: Money
    validUntil: Instant
    clearUntil?: Instant
    idempotencyKey: string
  }): Promise<FloorLimitView>
  /** Floor limits of a site that are not closed. */
  floorLimits(site: string): Promise<readonly FloorLimitView[]>
  /** Sets the most that may be held for a member’s asks of one UTC day, in place of what was set before; nothing takes the limits away. */
  setDailyLimits(member: string, daily: readonly Money[]): Promise<readonly Money[]>
  /** The daily limits that are set, by member; a member is told its own, the operator and a regulator all. */
  dailyLimits(member?: string): Promise<ReadonlyMap<string, readonly Money[]>>
  /** Suspends a member or a site, or ends its suspension; said again it changes nothing. */
  setMemberStatus(member: string, status: 'active' | 'suspended'): Promise<MemberRecord>
  setSiteStatus(site: string, status: 'active' | 'suspended'): Promise<SiteRecord>
  addSite(site: NewSite): Promise<SiteRecord>
  sites(): Promise<readonly SiteRecord[]>
  /** Books a deposit once for each key. */
  deposit(deposit: {
    member: string
    amount: Money
    reference?: string
    idempotencyKey: string
  }): Promise<Transfer>
  balances(owner?: string): Promise<readonly Balance[]>
  statement(owner?: string, limit?: number): Promise<readonly Transfer[]>
  trialBalance(): Promise<TrialBalance>
  /** Nothing is made where nothing was captured since. */
  settle(idempotencyKey: string): Promise<SettleAnswer>
  /** What a member was charged and earned in a settlement; of the newest one unless told, if there is any. */
  invoice(facts: { member?: string; settlement?: string }): Promise<Invoice | undefined>
}

/** The operator's calls, or as much of them as the caller's key may make. */
export function openOperator(client: HttpClient): Operator {
  return {
    addMember: (body) => client.call(NETWORK_API.addMember, { body, isRepeatable: true }),
    members: () =>
      collectPages((cursor) => client.call(NETWORK_API.listMembers, { query: { cursor, limit: 200 } })),
    declareCollusion: (id, others) =>
      client.call(NETWORK_API.declareCollusion, {
        params: { id },
        body: { with: [...others] },
        isRepeatable: true,
      }),
    giveFloorLimit: ({ site, acquirer, amount, validUntil, clearUntil, idempotencyKey }) =>
      client.call(NETWORK_API.giveFloorLimit, {
        params: { id: site },
        body: {
          acquirer,
          amount: wireMoney(amount),
          validUntil: formatInstant(validUntil),
          ...(clearUntil === undefined ? {} : { clearUntil: formatInstant(clearUntil) }),
        },
        idempotencyKey,
      }),
    floorLimits: async (site) =>
      (await client.call(NETWORK_API.listFloorLimits, { params: { id: site } })).items,
    setDailyLimits: async (id, daily) => {
      const body = { daily: daily.map(wireMoney) }
      return (await client.call(NETWORK_API.setLimits, { params: { id }, body })).daily
    },
    dailyLimits: async (member) => {
      const set = await collectPages((cursor) =>
        client.call(NETWORK_API.listLimits, { query: { member, cursor, limit: 200 } }),
      )
      return new Map(set.map((one) => [one.member, one.daily]))
    },
    setMemberStatus: (id, status) =>
      client.call(NETWORK_API.setMemberStatus, { params: { id }, body: { status } }),
    setSiteStatus: (id, status) =>
      client.call(NETWORK_API.setSiteStatus, { params: { id }, body: { status } }),
    addSite: (body) => client.call(NETWORK_API.addSite, { body, isRepeatable: true }),
    sites: () =>
      collectPages((cursor) => client.call(NETWORK_API.listSites, { query: { cursor, limit: 200 } })),
    deposit: ({ member, amount, reference, idempotencyKey }) =>
      client.call(NETWORK_API.transfer, {
        body: {
          kind: 'deposit',
          member,
          amount: wireMoney(amount),
          ...(reference === undefined ? {} : { reference }),
        },
        idempotencyKey,
      }),
    balances: async (owner) =>
      (await client.call(NETWORK_API.balances, { query: owner === undefined ? {} : { owner } })).items,
    statement: (owner, limit = 100) =>
      collectPages(
        (cursor) =>
          client.call(NETWORK_API.listTransfers, { query: { owner, cursor, limit: Math.min(limit, 200) } }),
        limit,
      ),
    trialBalance: () => client.call(NETWORK_API.trialBalance),
    invoice: async ({ member, settlement }) => {
      const id = settlement ?? (await newestSettlement(client))
      if (id === undefined) return undefined
      return client.call(NETWORK_API.invoice, { params: { id }, query: { member } })
    },
    settle: (idempotencyKey) => client.call(NETWORK_API.settle, { body: {}, idempotencyKey }),
  }
}

async function newestSettlement(client: HttpClient): Promise<string | undefined> {
  const { items } = await client.call(NETWORK_API.listSettlements, { query: { limit: 1 } })
  return items[0]?.id
}
