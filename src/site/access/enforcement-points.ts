import { sql } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { keyIdOf } from '../../kernel/crypto/keys.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { KeySet } from '../../protocol/member.ts'
import type { MemberId } from '../../protocol/wire.ts'
import type { AccessParts } from './evaluate-access.ts'

/** An application that asks for decisions with a key of its own. Without an issuer the custodian named it. */
export interface EnforcementPoint {
  readonly point: MemberId
  readonly issuer?: MemberId | undefined
  readonly keys: KeySet
  readonly namedAt: Instant
}

/**
 * Names an enforcement point, or gives it other keys. A name that somebody else gave is `fault.conflict`, and so is that of a
 * member of the network, or the key of one that asked here: an acquirer learns what it may use by asking, where the guard counts what it is told.
 */
export async function nameEnforcementPoint(
  { site: { db, pins }, acquirers }: AccessParts,
  { point, issuer, keys, namedAt }: EnforcementPoint,
): Promise<EnforcementPoint> {
  const isMember =
    (await pins.isMember({ id: point, signing: keys.signing })) || (await acquirers.find(point)) !== undefined
  if (isMember)
    throw new Fault('fault.conflict', {
      what: `Cannot name "${point}": it is a member of the network, which asks by its own key`,
    })
  const { rows } = await sql<PointRow>`
    insert into enforcement_point (member, issuer, keys, named_ms)
    values (${point}, ${issuer ?? null}, ${JSON.stringify(keys)}::jsonb, ${namedAt})
    on conflict (member) do update set keys = excluded.keys, named_ms = excluded.named_ms
      where enforcement_point.issuer is not distinct from excluded.issuer
    returning *`.execute(db)
  const [row] = rows
  if (!row)
    throw new Fault('fault.conflict', {
      what: `Cannot name "${point}": somebody else has an enforcement point of this name here`,
    })
  return pointOf(row)
}

/** Ends the access of an enforcement point that the same party named; gives whether it had any. */
export async function dismissEnforcementPoint(
  db: Database,
  { point, issuer }: Pick<EnforcementPoint, 'point' | 'issuer'>,
): Promise<boolean> {
  const { rows } = await sql`
    delete from enforcement_point where member = ${point} and issuer is not distinct from ${issuer ?? null}
    returning member`.execute(db)
  return rows.length > 0
}

/** Enforcement points by name: an issuer's, or all. */
export async function listEnforcementPoints(
  db: Database,
  { issuer }: { issuer?: MemberId | undefined },
): Promise<readonly EnforcementPoint[]> {
  const { rows } = await sql<PointRow>`
    select * from enforcement_point
    where ${issuer ?? null}::text is null or issuer = ${issuer ?? null} order by member`.execute(db)
  return rows.map(pointOf)
}

/** The signing key of an enforcement point, if it is the one with this id, and whose it is. */
export async function findEnforcementPointKey(
  db: Database,
  { member, keyId }: { member: string; keyId: string },
): Promise<{ readonly key: PublicJwk; readonly issuer?: MemberId | undefined } | undefined> {
  const { rows } = await sql<PointRow>`select * from enforcement_point where member = ${member}`.execute(db)
  const known = rows[0] && pointOf(rows[0])
  if (!known || keyIdOf(known.keys.signing) !== keyId) return undefined
  return { key: known.keys.signing, issuer: known.issuer }
}

interface PointRow {
  readonly member: MemberId
  readonly issuer: MemberId | null
  readonly keys: KeySet
  readonly named_ms: bigint
}

function pointOf({ member, issuer, keys, named_ms: named }: PointRow): EnforcementPoint {
  return { point: member, ...(issuer === null ? {} : { issuer }), keys, namedAt: instant(Number(named)) }
}
