import { sql } from 'kysely'
import type { Digest } from '../../kernel/digest.ts'
import type { Database } from '../../kernel/postgres/database.ts'

/** A sealed release as it came from a site: the network cannot open it. */
export interface SealedRelease {
  readonly site: string
  readonly release: string
  readonly digest: Digest
}

/** The releases of an ask, by site. */
export async function readReleases(db: Database, ask: string): Promise<SealedRelease[]> {
  const { rows } = await sql<SealedRelease>`
    select site, release, release_digest as digest from decision
    where ask = ${ask} and release is not null order by site`.execute(db)
  return rows
}
