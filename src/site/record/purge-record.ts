import type { Database } from '../../kernel/postgres/database.ts'
import { purgeTables } from '../../kernel/postgres/purge-tables.ts'
import type { PurgedTables } from '../../kernel/postgres/purge-tables.ts'

/** Tables that hold what belongs to one person alone, and so lose rows when somebody is erased. */
const TABLES = [
  'person_key',
  'idempotent_answer',
  'consent_call',
  'carried_record',
  'correction',
  'answer',
  'guardian_agreement',
  'guardianship',
  'age_evidence',
  'residence_move',
  'recipient_notice',
] as const

/** Makes the record's PostgreSQL let go of what was deleted for good. */
export function purgeRecord(
  db: Database,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<PurgedTables> {
  return purgeTables(db, TABLES, options)
}
