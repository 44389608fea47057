import { sql } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { Evidence } from '../../protocol/proof/evidence.ts'
import { verifyEvidence } from '../../protocol/proof/sign-evidence.ts'

/** A statement of place as it was given. */
export interface StoredEvidence {
  readonly evidence: Evidence
  /** The signed form, and its digest: its name in receipts. */
  readonly jws: string
  readonly digest: Digest
  readonly givenAt: Instant
  /** Sequence of its receipt. */
  readonly receipt: number
}

/** All statements of place of a site, held in memory and in the record. */
export interface EvidenceStore {
  /** The statement that governs now, expired or not; `undefined` when there is none. */
  current(now: Instant): StoredEvidence | undefined
  find(digest: Digest): StoredEvidence | undefined
  /** Writes a statement within the caller's transaction; `keep` it once that has committed. */
  write(tx: DatabaseTransaction, stored: StoredEvidence): Promise<void>
  keep(stored: StoredEvidence): void
}

/** Reads the statements of a site. One whose signature no longer verifies was tampered with and is as good as none. */
export async function openEvidenceStore({
  db,
  operatorKey,
  formerOperatorKeys = [],
}: {
  db: Database
  operatorKey: PublicJwk
  /** By which statements that are in the record already were signed. */
  formerOperatorKeys?: readonly PublicJwk[]
}): Promise<EvidenceStore> {
  const { rows } = await sql<EvidenceRow>`select * from evidence order by sequence`.execute(db)
  const statements = rows.flatMap((row) => storedOf(row, [operatorKey, ...formerOperatorKeys]))
  return {
    current: (now) => governing(statements, now),
    find: (digest) => statements.find((stored) => stored.digest === digest),
    write: writeEvidence,
    keep: (stored) => void statements.push(stored),
  }
}

/**
 * The newest statement that has begun; if none has, the newest. An older one that lasts longer never comes back: the
 * site may have moved since.
 */
function governing(statements: readonly StoredEvidence[], now: Instant): StoredEvidence | undefined {
  return statements.findLast(({ evidence }) => evidence.validFrom <= now) ?? statements.at(-1)
}

async function writeEvidence(tx: DatabaseTransaction, stored: StoredEvidence): Promise<void> {
  await sql`
    insert into evidence (digest, jws, given_ms, receipt)
    values (${stored.digest}, ${stored.jws}, ${stored.givenAt}, ${stored.receipt})`.execute(tx)
}

interface EvidenceRow {
  readonly digest: string
  readonly jws: string
  readonly given_ms: bigint
  readonly receipt: bigint
}

function storedOf(row: EvidenceRow, keys: readonly PublicJwk[]): readonly StoredEvidence[] {
  const evidence = keys.map((key) => verifyEvidence(row.jws, key)).find((verified) => verified !== undefined)
  if (!evidence) return []
  const { jws, digest, receipt } = row
  return [
    {
      evidence,
      jws,
      digest: digest as Digest,
      givenAt: instant(Number(row.given_ms)),
      receipt: Number(receipt),
    },
  ]
}
