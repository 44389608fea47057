import { sql } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import { consentTextDigest } from '../../protocol/consent/consent-text.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { GrantState, GrantTerms } from '../../protocol/consent/grant.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { RevocationCause } from './grant-store.ts'

/** A grant as its history tells it. */
export interface ListedGrant {
  readonly sequence: number
  readonly person: number
  readonly terms: GrantTerms
  readonly validFrom: Instant
  /** Absent: until it is revoked. */
  readonly validUntil?: Instant
  readonly givenAt: Instant
  readonly givenBy: string
  readonly receipt: number
  readonly revokedAt?: Instant
  readonly revokedBy?: string
  readonly revocationReceipt?: number
  /** Why it ended before its time. */
  readonly cause?: RevocationCause
  /** Of a guardian's grant: the guardianship it stands on. */
  readonly guardianship?: string
}

/** Grants in the order they were given, revoked ones too: of one person (under all numbers of theirs), of some data sets, or all. `after` is a sequence, 0 for the beginning. */
export async function listGrants(
  db: Database,
  {
    after,
    limit,
    people,
    dataSets,
  }: {
    after: number
    limit: number
    people?: readonly number[] | undefined
    dataSets?: readonly DataSetId[] | undefined
  },
): Promise<readonly ListedGrant[]> {
  const { rows } = await sql<ListedRow>`
    ${KEPT} ${grantsOf(people)} select g.*, t.terms as wording, r.revoked_ms, r.revoked_by, r.receipt as revocation_receipt, r.cause
    from given g
    join consent_terms t on t.id = g.terms
    left join consent_revocation r on r.grant_sequence = g.sequence
    where g.sequence > ${after}
      and (${dataSets ?? null}::text[] is null or t.data_set = any(${dataSets ?? null}::text[]))
    order by g.sequence limit ${limit}`.execute(db)
  return rows.map(listedOf)
}

/**
 * All grants, or those of people: gathered first, by the index of people. Else a plan that is kept could as well go through everybody's in
 * the order in which they were given, and one that is not would be made anew for each person.
 */
function grantsOf(people: readonly number[] | undefined) {
  return people === undefined
    ? sql`with given as not materialized (select * from consent_grant)`
    : sql`with given as materialized (select * from consent_grant where person = any(${people}::integer[]))`
}

interface ListedRow {
  readonly sequence: bigint
  readonly person: number
  readonly wording: GrantTerms
  readonly valid_from_ms: bigint
  readonly valid_until_ms: bigint | null
  readonly given_ms: bigint
  readonly given_by: string
  readonly receipt: bigint
  readonly guardianship: string | null
  readonly revoked_ms: bigint | null
  readonly revoked_by: string | null
  readonly revocation_receipt: bigint | null
  readonly cause: RevocationCause | null
}

function listedOf(row: ListedRow): ListedGrant {
  return {
    sequence: Number(row.sequence),
    person: row.person,
    terms: row.wording,
    validFrom: instant(Number(row.valid_from_ms)),
    ...(row.valid_until_ms !== null && { validUntil: instant(Number(row.valid_until_ms)) }),
    givenAt: instant(Number(row.given_ms)),
    givenBy: row.given_by,
    receipt: Number(row.receipt),
    ...(row.cause !== null && { cause: row.cause }),
    ...(row.guardianship !== null && { guardianship: row.guardianship }),
    ...(row.revoked_by !== null && { revokedBy: row.revoked_by }),
    ...(row.revoked_ms !== null && { revokedAt: instant(Number(row.revoked_ms)) }),
    ...(row.revocation_receipt !== null && { revocationReceipt: Number(row.revocation_receipt) }),
  }
}

/** Where a grant stands in its life, now and under the text as it stands now. */
export function grantState(
  { terms, validFrom, validUntil, revokedAt, cause }: ListedGrant,
  { now, manifest }: { now: Instant; manifest: Manifest | undefined },
): GrantState {
  if (revokedAt !== undefined) return cause ?? 'withdrawn'
  if (validUntil !== undefined && validUntil <= now) return 'expired'
  const isOldText =
    manifest !== undefined &&
    terms.notice !== undefined &&
    terms.notice !== consentTextDigest(manifest, terms.columns)
  if (isOldText) return 'text_changed'
  return validFrom > now ? 'not_yet' : 'in_force'
}
