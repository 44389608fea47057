import { sql } from 'kysely'
import type { Instant } from '../kernel/clock.ts'
import { keyIdOf } from '../kernel/crypto/keys.ts'
import type { PublicJwk } from '../kernel/crypto/keys.ts'
import type { Database } from '../kernel/postgres/database.ts'
import type { KeySet } from '../protocol/member.ts'
import type { MemberId } from '../protocol/wire.ts'

/** Parties of one kind by their keys, for which the operator of the site vouches. */
interface VouchedKeys {
  /** Makes a party's keys known, or replaces them. */
  register(db: Database, party: { member: MemberId; keys: KeySet; now: Instant }): Promise<void>
  /** A party is known no longer; gives whether it was. */
  remove(db: Database, member: MemberId): Promise<boolean>
  /** The signing key of a party, if it is the one with this id. */
  findKey(db: Database, claimed: { member: string; keyId: string }): Promise<PublicJwk | undefined>
}

/** Issuers of data sets. */
export const ISSUERS = vouchedKeys('issuer')

/** Supervisory authorities that may read here. */
export const REGULATORS = vouchedKeys('regulator')

function vouchedKeys(tableName: 'issuer' | 'regulator'): VouchedKeys {
  const table = sql.table(tableName)
  return {
    async register(db, { member, keys, now }) {
      await sql`
        insert into ${table} (member, keys, registered_ms) values (${member}, ${JSON.stringify(keys)}::jsonb, ${now})
        on conflict (member) do update set keys = excluded.keys, registered_ms = excluded.registered_ms`.execute(
        db,
      )
    },
    async remove(db, member) {
      const { rows } = await sql`delete from ${table} where member = ${member} returning member`.execute(db)
      return rows.length > 0
    },
    async findKey(db, { member, keyId }) {
      const { rows } = await sql<{
        keys: KeySet
      }>`select keys from ${table} where member = ${member}`.execute(db)
      const signing = rows[0]?.keys.signing
      return signing && keyIdOf(signing) === keyId ? signing : undefined
    },
  }
}
