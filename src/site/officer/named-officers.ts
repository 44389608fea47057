import { sql } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { keyIdOf } from '../../kernel/crypto/keys.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { KeySet } from '../../protocol/member.ts'
import type { MemberId } from '../../protocol/wire.ts'

/** A data-protection officer with a key of its own. Without an issuer it is the custodian's. */
export interface NamedOfficer {
  readonly officer: MemberId
  readonly issuer?: MemberId | undefined
  readonly keys: KeySet
  readonly namedAt: Instant
}

/**
 * Names an officer, or gives it other keys. A name that somebody else gave is `fault.conflict`: nobody takes another
 * controller's officer away, or makes it read elsewhere.
 */
export async function nameOfficer(
  db: Database,
  { officer, issuer, keys, namedAt }: NamedOfficer,
): Promise<NamedOfficer> {
  const { rows } = await sql<OfficerRow>`
    insert into officer (member, issuer, keys, named_ms)
    values (${officer}, ${issuer ?? null}, ${JSON.stringify(keys)}::jsonb, ${namedAt})
    on conflict (member) do update set keys = excluded.keys, named_ms = excluded.named_ms
      where officer.issuer is not distinct from excluded.issuer
    returning *`.execute(db)
  const [row] = rows
  if (!row) {
    throw new Fault('fault.conflict', {
      what: `Cannot name "${officer}": somebody else has an officer of this name here`,
    })
  }
  return officerOf(row)
}

/** Ends the access of an officer that the same party named; gives whether it had any. */
export async function dismissOfficer(
  db: Database,
  { officer, issuer }: Pick<NamedOfficer, 'officer' | 'issuer'>,
): Promise<boolean> {
  const { rows } = await sql`
    delete from officer where member = ${officer} and issuer is not distinct from ${issuer ?? null}
    returning member`.execute(db)
  return rows.length > 0
}

/** Officers by name: an issuer's, or all. */
export async function listOfficers(
  db: Database,
  { issuer }: { issuer?: MemberId | undefined } = {},
): Promise<readonly NamedOfficer[]> {
  const { rows } = await sql<OfficerRow>`
    select * from officer where ${issuer ?? null}::text is null or issuer = ${issuer ?? null} order by member`.execute(
    db,
  )
  return rows.map(officerOf)
}

/** An officer and its signing key, if it is the one with this id. */
export async function findOfficerKey(
  db: Database,
  { member, keyId }: { member: string; keyId: string },
): Promise<{ readonly key: PublicJwk; readonly issuer?: MemberId | undefined } | undefined> {
  const { rows } = await sql<OfficerRow>`select * from officer where member = ${member}`.execute(db)
  const known = rows[0] && officerOf(rows[0])
  if (!known || keyIdOf(known.keys.signing) !== keyId) return undefined
  return { key: known.keys.signing, issuer: known.issuer }
}

interface OfficerRow {
  readonly member: MemberId
  readonly issuer: MemberId | null
  readonly keys: KeySet
  readonly named_ms: bigint
}

function officerOf({ member, issuer, keys, named_ms: named }: OfficerRow): NamedOfficer {
  return {
    officer: member,
    ...(issuer === null ? {} : { issuer }),
    keys,
    namedAt: instant(Number(named)),
  }
}
