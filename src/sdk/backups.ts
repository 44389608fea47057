import type { z } from 'zod'
import { BACKUP_API } from '../protocol/http/backup-api.ts'
import type { backupViewSchema } from '../protocol/http/backup-api.ts'
import type { HttpClient } from './http-client.ts'

/** A backup of a site, parsed. */
export type Backup = z.output<typeof backupViewSchema>

/** Backups of a site, as its operator makes and ends them. */
export interface BackupDesk {
  /** Resolves when the backup is whole and was read back; however long that takes. */
  make(signal?: AbortSignal): Promise<Backup>
  list(): Promise<readonly Backup[]>
  /** Gives those that are left. */
  destroy(backup: string): Promise<readonly Backup[]>
  /** Acquirers that are told nothing exact since a restore. */
  holds(): Promise<readonly string[]>
  liftHold(acquirer: string, reason: string): Promise<readonly string[]>
}

/** Hundreds of gigabytes, written and read once. */
const TIMEOUT_MS = 24 * 60 * 60_000

export function openBackupDesk(client: HttpClient): BackupDesk {
  return {
    make: (signal) => client.call(BACKUP_API.makeBackup, { timeoutMs: TIMEOUT_MS, signal }),
    list: async () => (await client.call(BACKUP_API.listBackups)).items,
    destroy: async (backup) => (await client.call(BACKUP_API.destroyBackup, { params: { backup } })).items,
    holds: async () => (await client.call(BACKUP_API.listHolds)).acquirers,
    liftHold: async (acquirer, reason) =>
      (await client.call(BACKUP_API.liftHold, { params: { acquirer }, body: { reason } })).acquirers,
  }
}
