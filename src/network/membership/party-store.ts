import { sql } from 'kysely'
import type { Instant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { KeySet } from '../../protocol/member.ts'
import { memberRecordSchema, siteRecordSchema } from '../../protocol/http/network-api.ts'
import type { MemberRecord, SiteRecord } from '../../protocol/http/network-api.ts'
import { skeletonOf } from './look-alike.ts'

/** A member or a site with every key set it has had, the first one first. */
export type Party =
  | { readonly kind: 'member'; readonly record: MemberRecord; readonly keySets: readonly KeySet[] }
  | { readonly kind: 'site'; readonly record: SiteRecord; readonly keySets: readonly KeySet[] }

interface PartyRow {
  readonly kind: 'member' | 'site'
  readonly facts: Readonly<Record<string, unknown>>
  readonly key_sets: readonly KeySet[]
  readonly rotations: readonly string[]
}

/** Reads all members and sites, or one by its name. */
export async function readParties(db: Database, name?: string): Promise<readonly Party[]> {
  const { rows } = await sql<PartyRow>`
    select p.kind,
      case p.kind
        when 'member' then (select jsonb_build_object('id', m.id, 'name', m.title, 'country', m.country, 'roles', m.roles,
          'acquirerClass', m.acquirer_class, 'transferBases', m.transfer_bases, 'processors', m.processors, 'status', m.status,
          'colludesWith', (select jsonb_agg(o.id order by o.id) from member o where o.collusion = m.collusion and o.id <> m.id))
          from member m where m.id = p.name)
        else (select jsonb_build_object('id', s.id, 'custodian', s.custodian, 'country', s.country, 'status', s.status)
          from site s where s.id = p.name) end as facts,
      (select jsonb_agg(k.keys order by k.version) from party_key k where k.party = p.name) as key_sets,
      (select coalesce(jsonb_agg(k.rotation order by k.version), '[]') from party_key k where k.party = p.name and k.rotation is not null) as rotations
    from party p where ${name === undefined ? sql`true` : sql`p.name = ${name}`} order by p.name`.execute(db)
  return rows.map(partyOf)
}

/**
 * Takes a name for a member or a site, with its first keys.
 *
 * @throws Fault `fault.conflict` when the name is taken or can be mistaken for another
 */
export async function takeName(
  tx: Database,
  { kind, name, keys, at }: { kind: Party['kind']; name: string; keys: KeySet; at: Instant },
): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select name from party where name = ${name} or skeleton = ${skeletonOf(name)} limit 1`.execute(tx)
  const other = rows[0]?.name
  if (other !== undefined) {
    const why = other === name ? 'it is taken' : `it can be mistaken for "${other}"`
    throw new Fault('fault.conflict', { what: `Cannot take the name "${name}": ${why}` })
  }
  await sql`insert into party (name, kind, skeleton) values (${name}, ${kind}, ${skeletonOf(name)})`.execute(
    tx,
  )
  await addKeys(tx, { party: name, version: 1, keys, rotation: undefined, at })
}

/** Adds the next key set of a party. Key sets are never changed or taken away. */
export async function addKeys(
  tx: Database,
  facts: { party: string; version: number; keys: KeySet; rotation: string | undefined; at: Instant },
): Promise<void> {
  const { party, version, keys, rotation, at } = facts
  await sql`
    insert into party_key (party, version, keys, rotation, since)
    values (${party}, ${version}, ${JSON.stringify(keys)}::jsonb, ${rotation ?? null}, to_timestamp(${at / 1000}))`.execute(
    tx,
  )
}

function partyOf({ kind, facts, key_sets, rotations }: PartyRow): Party {
  const keys = { firstKeys: key_sets[0], keys: key_sets.at(-1), rotations }
  const present = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== null))
  return kind === 'member'
    ? { kind, record: memberRecordSchema.parse({ ...present, ...keys }), keySets: key_sets }
    : { kind, record: siteRecordSchema.parse({ ...present, ...keys }), keySets: key_sets }
}
