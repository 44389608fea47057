import { sql } from 'kysely'
import { later } from '../clock.ts'
import type { Instant } from '../clock.ts'
import { sha256 } from '../digest.ts'
import { LIMITS } from '../limits.ts'
import type { Database } from '../postgres/database.ts'

/** Remembers which tokens were used, for as long as they could be used again. */
export interface UsedTokens {
  /** Whether this is the first use of the token; remembers it. */
  use(token: { readonly issuer: string; readonly jti: string; readonly expires: Instant }): Promise<boolean>
}

/** The migration of the table behind `recordUsedTokens`. */
export const createUsedTokens = {
  async up(db: Database): Promise<void> {
    await sql`
      create table used_token (
        digest bytea primary key,
        expires_at timestamptz not null
      )`.execute(db)
    await sql`create index used_token_expiry on used_token (expires_at)`.execute(db)
  },
}

/** Remembers them in a server's PostgreSQL: a copy made before a crash is refused after it. `forget-passed.ts` forgets them. */
export function recordUsedTokens({ db }: { db: Database }): UsedTokens {
  return {
    async use({ issuer, jti, expires }) {
      const digest = Buffer.from(sha256(`${issuer}\0${jti}`))
      // A clock that is behind still takes the token for a while after it has expired.
      const until = later(expires, 2 * LIMITS.clockSkewMsMax)
      const { rows } = await sql<object>`
        insert into used_token (digest, expires_at) values (${digest}, to_timestamp(${until / 1000}))
        on conflict do nothing returning 1 as used`.execute(db)
      return rows.length === 1
    },
  }
}
