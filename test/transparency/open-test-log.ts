import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { instant } from '../../src/kernel/clock.ts'
import type { Instant } from '../../src/kernel/clock.ts'
import { generateKeyPair } from '../../src/kernel/crypto/keys.ts'
import type { KeyPair, PublicJwk } from '../../src/kernel/crypto/keys.ts'
import type { Database } from '../../src/kernel/postgres/database.ts'
import { migrate } from '../../src/kernel/postgres/migrate.ts'
import type { ReceiptDraft } from '../../src/protocol/proof/receipt.ts'
import { testPostgres } from '../../src/testing/test-postgres.ts'
import * as createReceiptLog from '../../src/transparency/create-receipt-log.ts'
import { openReceiptLog } from '../../src/transparency/receipt-log.ts'
import type { IssuedReceipt, ReceiptLog } from '../../src/transparency/receipt-log.ts'

/** A log over a fresh database and directory. */
export interface TestLog extends AsyncDisposable {
  readonly db: Database
  readonly directory: string
  readonly key: KeyPair
  readonly keysOf: (signer: string) => readonly PublicJwk[]
  readonly log: ReceiptLog
  issue(count: number, draft?: ReceiptDraft): Promise<readonly IssuedReceipt[]>
  /** Another log object over the same database and directory, as after a restart. */
  reopen(over?: {
    db?: Database
    key?: KeyPair
    formerKeys?: readonly PublicJwk[]
    now?: Instant
  }): Promise<ReceiptLog>
}

/** When a test log issues, unless it is opened at another time. */
export const TEST_LOG_NOW = instant(Date.UTC(2026, 10, 24, 10))

export async function migratedDatabase(): Promise<{ db: Database } & AsyncDisposable> {
  const postgres = await testPostgres()
  await migrate(postgres.db, { '0001-create-receipt-log': createReceiptLog })
  return postgres
}

export async function openTestLog(): Promise<TestLog> {
  const postgres = await migratedDatabase()
  const directory = mkdtempSync(join(tmpdir(), 'hedgerow-log-'))
  const key = generateKeyPair('Ed25519')
  const { db } = postgres
  const reopen: TestLog['reopen'] = ({ db: otherDb, key: otherKey, formerKeys, now = TEST_LOG_NOW } = {}) =>
    openReceiptLog({
      db: otherDb ?? db,
      directory,
      signer: { name: 'galway', key: otherKey ?? key, formerKeys },
      clock: { now: () => now, sleep: () => Promise.resolve() },
    })
  const log = await reopen()
  return {
    db,
    directory,
    key,
    keysOf: (signer) => (signer === 'galway' ? [key.publicJwk] : []),
    log,
    issue: (count, draft = { kind: 'grant' }) =>
      db.transaction().execute((tx) =>
        log.issue(
          tx,
          Array.from({ length: count }, () => draft),
        ),
      ),
    reopen,
    async [Symbol.asyncDispose]() {
      await postgres[Symbol.asyncDispose]()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
