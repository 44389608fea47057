import { sql } from 'kysely'
import { later } from '../../kernel/clock.ts'
import type { Clock, Instant } from '../../kernel/clock.ts'
import { sha256 } from '../../kernel/digest.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Database } from '../../kernel/postgres/database.ts'

/** Remembers tokens that were used, past a restart, until they have expired anyway. */
export interface UsedTokens {
  /** Whether this is the first time; remembers it. */
  use(issuer: string, jti: string, expires: Instant): Promise<boolean>
  /** Forgets those that have expired. */
  forgetExpired(): Promise<void>
}

/** Remembers them in the network's PostgreSQL: a copy made before a crash is refused after it. */
export function usedTokens({ db, clock }: { db: Database; clock: Clock }): UsedTokens {
  return {
    async use(issuer, jti, expires) {
      const digest = Buffer.from(sha256(`${issuer}\0${jti}`))
      // A clock that is behind still takes the token for a while after it has expired.
      const until = later(expires, 2 * LIMITS.clockSkewMsMax)
      const { rows } = await sql<object>`
        insert into used_token (digest, expires_at) values (${digest}, to_timestamp(${until / 1000}))
        on conflict do nothing returning 1 as used`.execute(db)
      return rows.length === 1
    },
    async forgetExpired() {
      await sql`delete from used_token where expires_at < to_timestamp(${clock.now() / 1000})`.execute(db)
    },
  }
}
