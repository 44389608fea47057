import type { Migrations } from '../../kernel/postgres/migrate.ts'
import * as createReceiptLog from '../../transparency/create-receipt-log.ts'
import * as createEvidence from './migrations/0010-create-evidence.ts'
import * as createGrants from './migrations/0011-create-grants.ts'
import * as createAsks from './migrations/0040-create-asks.ts'

/** The schema of a site's record, in order: one file a capability, forward only. */
export const SITE_MIGRATIONS: Migrations = {
  '0001-create-receipt-log': createReceiptLog,
  '0010-create-evidence': createEvidence,
  '0011-create-grants': createGrants,
  '0040-create-asks': createAsks,
}
