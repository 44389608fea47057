import { sql } from 'kysely'
import type { Digest } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database } from '../../kernel/postgres/database.ts'

/** A sealed release as it came from a site: the network cannot open it. */
export interface SealedRelease {
  readonly site: string
  readonly release: string
  readonly digest: Digest
}

/**
 * The releases of an ask, by site.
 *
 * @throws Fault `fault.withdrawn` where all there were are withdrawn: somebody in them was erased
 */
export async function readReleases(db: Database, ask: string): Promise<SealedRelease[]> {
  const { rows } = await sql<SealedRelease>`
    select site, release, release_digest as digest from decision
    where ask = ${ask} and release is not null order by site`.execute(db)
  if (rows.length > 0) return rows
  const { rows: withdrawn } = await sql`
    select site from decision where ask = ${ask} and withdrawn_at is not null`.execute(db)
  if (withdrawn.length === 0) return []
  throw new Fault('fault.withdrawn', { what: 'Cannot give the releases: they were withdrawn' })
}
