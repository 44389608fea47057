import { sql } from 'kysely'
import { instant } from '../kernel/clock.ts'
import type { Instant } from '../kernel/clock.ts'
import { keyIdOf } from '../kernel/crypto/keys.ts'
import type { PublicJwk } from '../kernel/crypto/keys.ts'
import { Fault } from '../kernel/faults.ts'
import type { Database } from '../kernel/postgres/database.ts'
import type { KeySet } from '../protocol/member.ts'
import type { MemberId } from '../protocol/wire.ts'

/** Somebody who was let in with a key of its own. Without an issuer the custodian named it. */
export interface NamedCaller {
  readonly member: MemberId
  readonly issuer?: MemberId | undefined
  readonly keys: KeySet
  readonly namedAt: Instant
}

/** Callers of one kind, each named by an issuer or the custodian, and nobody else's to change. */
export interface NamedCallers {
  /** Names one, or gives it other keys. A name that somebody else gave is `fault.conflict`: nobody takes it away, or makes it read elsewhere. */
  name(db: Database, caller: NamedCaller): Promise<NamedCaller>
  /** Ends the access of one that the same party named; gives whether it had any. */
  dismiss(db: Database, caller: Pick<NamedCaller, 'member' | 'issuer'>): Promise<boolean>
  /** By name: an issuer's, or all. */
  list(db: Database, scope: { issuer?: MemberId | undefined }): Promise<readonly NamedCaller[]>
  /** The signing key of one, if it is the one with this id, and whose it is. */
  findKey(
    db: Database,
    claimed: { member: string; keyId: string },
  ): Promise<{ readonly key: PublicJwk; readonly issuer?: MemberId | undefined } | undefined>
}

/** Those of a table; `kind` is what a refusal calls one, with its article. */
export function namedCallers(tableName: 'officer' | 'enforcement_point', kind: string): NamedCallers {
  const table = sql.table(tableName)
  return {
    async name(db, { member, issuer, keys, namedAt }) {
      const { rows } = await sql<CallerRow>`
        insert into ${table} (member, issuer, keys, named_ms)
        values (${member}, ${issuer ?? null}, ${JSON.stringify(keys)}::jsonb, ${namedAt})
        on conflict (member) do update set keys = excluded.keys, named_ms = excluded.named_ms
          where ${table}.issuer is not distinct from excluded.issuer
        returning *`.execute(db)
      const [row] = rows
      if (!row)
        throw new Fault('fault.conflict', {
          what: `Cannot name "${member}": somebody else has ${kind} of this name here`,
        })
      return callerOf(row)
    },
    async dismiss(db, { member, issuer }) {
      const { rows } = await sql`
        delete from ${table} where member = ${member} and issuer is not distinct from ${issuer ?? null}
        returning member`.execute(db)
      return rows.length > 0
    },
    async list(db, { issuer }) {
      const { rows } = await sql<CallerRow>`
        select * from ${table}
        where ${issuer ?? null}::text is null or issuer = ${issuer ?? null} order by member`.execute(db)
      return rows.map(callerOf)
    },
    async findKey(db, { member, keyId }) {
      const { rows } = await sql<CallerRow>`select * from ${table} where member = ${member}`.execute(db)
      const known = rows[0] && callerOf(rows[0])
      if (!known || keyIdOf(known.keys.signing) !== keyId) return undefined
      return { key: known.keys.signing, issuer: known.issuer }
    },
  }
}

interface CallerRow {
  readonly member: MemberId
  readonly issuer: MemberId | null
  readonly keys: KeySet
  readonly named_ms: bigint
}

function callerOf({ member, issuer, keys, named_ms: named }: CallerRow): NamedCaller {
  return { member, ...(issuer === null ? {} : { issuer }), keys, namedAt: instant(Number(named)) }
}
