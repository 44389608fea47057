import { sql } from 'kysely'
import { formatInstant, later } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { digestOf } from '../../kernel/digest.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { IdSource } from '../../kernel/id.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'

/** Tables in whose files texts of disputes stand: the second has answers to whoever raised one. */
export const DISPUTE_TEXT_TABLES = ['dispute_text', 'idempotent_answer'] as const

/** What somebody wrote, before it has a place. */
export interface SaltedText {
  readonly body: string
  readonly salt: string
  /** What stays in the append-only record. Without the salt it is no use to whoever tries texts one after another. */
  readonly digest: Digest
}

export function saltText(ids: IdSource, body: string): SaltedText {
  const salt = ids.next('salt')
  return { body, salt, digest: digestOf(`${salt} ${body}`) }
}

export async function insertText(
  tx: DatabaseTransaction,
  of: { readonly dispute: string; readonly kind: 'statement' | 'answer' | 'end'; readonly by: string },
  { body, salt }: SaltedText,
): Promise<void> {
  await sql`
    insert into dispute_text (dispute, kind, by_party, salt, body)
    values (${of.dispute}, ${of.kind}, ${of.by}, ${salt}, ${body})`.execute(tx)
}

/** Removes all texts of a dispute, also from the answers that are kept for whoever sends a request again. Gives how many there were. */
export async function deleteTexts(tx: DatabaseTransaction, dispute: string): Promise<number> {
  const { rows } = await sql`delete from dispute_text where dispute = ${dispute} returning kind`.execute(tx)
  await sql`delete from idempotent_answer where position(${dispute} in body) > 0`.execute(tx)
  return rows.length
}

/** Removes the texts of disputes whose last step is `LIMITS.disputeTextMs` ago, decided or not. */
export async function forgetDisputeTexts(db: Database, now: Instant): Promise<void> {
  const before = formatInstant(later(now, -LIMITS.disputeTextMs))
  await sql`
    delete from dispute_text t using dispute d
    where d.id = t.dispute and d.raised_at < ${before}::timestamptz
      and not exists (select 1 from dispute_step s where s.dispute = d.id and s.made_at >= ${before}::timestamptz)`.execute(
    db,
  )
}
