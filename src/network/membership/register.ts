import { sql } from 'kysely'
import type { z } from 'zod'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { isSameKeySet } from '../../protocol/proof/key-chain.ts'
import { OPERATOR } from '../../protocol/http/network-api.ts'
import type {
  MemberRecord,
  SiteRecord,
  newMemberSchema,
  newSiteSchema,
} from '../../protocol/http/network-api.ts'
import type { MemberId, SiteId } from '../../protocol/wire.ts'
import { NETWORK_OWNER } from '../ledger/account-name.ts'
import { requireMember, requireSite } from './directory.ts'
import type { Directory } from './directory.ts'
import { skeletonOf } from './look-alike.ts'
import { takeName } from './party-store.ts'

/** What the acts of membership work with. */
export interface Membership {
  readonly db: Database
  readonly clock: Clock
  readonly directory: Directory
  /** The network's own name, which nobody else may take. */
  readonly networkName: string
}

/**
 * Registers a member with its keys. The same again changes nothing.
 *
 * @throws Fault `fault.conflict` when the name is taken or can be mistaken for another
 */
export async function addMember(
  { db, clock, directory, networkName }: Membership,
  member: z.output<typeof newMemberSchema>,
): Promise<MemberRecord> {
  requireFreeName(member.id, networkName)
  const known = directory.member(member.id)
  if (known && isSameRegistration(known, member)) return known
  const at = clock.now()
  await db.transaction().execute(async (tx) => {
    await takeName(tx, { kind: 'member', name: member.id, keys: member.keys, at })
    await sql`
      insert into member (id, title, country, roles, acquirer_class, transfer_bases, registered_at)
      values (${member.id}, ${member.name}, ${member.country}, ${member.roles}, ${member.acquirerClass ?? null},
        ${member.transferBases}, to_timestamp(${at / 1000}))`.execute(tx)
  })
  await directory.refresh(member.id)
  return requireMember(directory, member.id)
}

/**
 * Registers a site with its keys and the member that runs it. The same again changes nothing.
 *
 * @throws Fault `fault.conflict` when the name is taken or alike, or the custodian is no custodian
 */
export async function addSite(
  { db, clock, directory, networkName }: Membership,
  site: z.output<typeof newSiteSchema>,
): Promise<SiteRecord> {
  requireFreeName(site.id, networkName)
  const known = directory.site(site.id)
  if (known && isSameRegistration(known, site)) return known
  if (!directory.member(site.custodian)?.roles.includes('custodian')) {
    throw new Fault('fault.conflict', {
      what: `Cannot register the site "${site.id}": "${site.custodian}" is not a member with the role "custodian"`,
    })
  }
  const at = clock.now()
  await db.transaction().execute(async (tx) => {
    await takeName(tx, { kind: 'site', name: site.id, keys: site.keys, at })
    await sql`
      insert into site (id, custodian, country, registered_at)
      values (${site.id}, ${site.custodian}, ${site.country}, to_timestamp(${at / 1000}))`.execute(tx)
  })
  await directory.refresh(site.id)
  return requireSite(directory, site.id)
}

/** Suspends a member or a site, or ends its suspension. It keeps its name, its money and its history. */
export async function setStatus(
  { db, directory }: Membership,
  { name, status }: { name: MemberId | SiteId; status: 'active' | 'suspended' },
): Promise<void> {
  const table = directory.find(name)?.kind
  if (!table) throw new Fault('fault.not_found', { what: `There is no member or site "${name}"` })
  try {
    await sql`update ${sql.id(table)} set status = ${status} where id = ${name}`.execute(db)
  } finally {
    // Also where the answer was lost on its way: who is suspended there does not go on here.
    await directory.refresh(name)
  }
}

/** Says who may sign asks in batches on a member's behalf. */
export async function setProcessors(
  { db, directory }: Membership,
  { member, processors }: { member: MemberId; processors: readonly MemberId[] },
): Promise<MemberRecord> {
  const stranger = processors.find((id) => !directory.member(id)?.roles.includes('acquirer-processor'))
  if (stranger !== undefined) {
    throw new Fault('fault.conflict', {
      what: `Cannot name "${stranger}": it is not a member with the role "acquirer-processor"`,
    })
  }
  await sql`update member set processors = ${[...processors]} where id = ${member}`.execute(db)
  await directory.refresh(member)
  return requireMember(directory, member)
}

/** Accounts, tokens and logs go by names: whoever had one of the network's own would have what is the network's. */
function requireFreeName(name: string, networkName: string): void {
  const own = new Set([OPERATOR, networkName, NETWORK_OWNER].map(skeletonOf))
  if (!own.has(skeletonOf(name))) return
  throw new Fault('fault.conflict', {
    what: `Cannot take the name "${name}": it is the network's own, or can be mistaken for it`,
  })
}

/** Whether a registration says what is known already; keys are compared with the first ones. */
function isSameRegistration(
  known: MemberRecord | SiteRecord,
  { keys, ...wanted }: z.output<typeof newMemberSchema> | z.output<typeof newSiteSchema>,
): boolean {
  const said: Readonly<Record<string, unknown>> = wanted
  const stands: Readonly<Record<string, unknown>> = known
  return (
    isSameKeySet(known.firstKeys, keys) &&
    Object.keys(said).every(
      (name) => canonicalJson(said[name] ?? null) === canonicalJson(stands[name] ?? null),
    )
  )
}
