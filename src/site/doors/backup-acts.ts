import type { BackupView } from '../../protocol/http/backup-api.ts'
import { backupView } from '../backup/backups.ts'
import { makeBackup } from '../backup/make-backup.ts'
import { settleErasures } from '../rights/complete-erasures.ts'
import type { SiteContext } from '../site-context.ts'
import { notFound } from './may.ts'
import type { SiteActs } from './site-acts.ts'

/** Backups in the forms of the door. */
export function backupActs(
  site: SiteContext,
): Pick<SiteActs, 'listBackups' | 'makeBackup' | 'destroyBackup' | 'listHolds' | 'liftHold'> {
  const listBackups = async (): Promise<BackupView[]> =>
    Promise.all((await site.backups.list()).map((entry) => backupView(entry, site.clock.now())))
  return {
    listBackups,
    listHolds: () => [...site.holds.held],
    async liftHold({ acquirer, reason }) {
      const group = await site.groups.groupOf({ id: acquirer })
      if (!(await site.holds.lift({ group, reason, now: site.clock.now() }))) throw notFound()
      await site.db.transaction().execute((tx) => site.log.issue(tx, [{ kind: 'restore', acquirer }]))
      await site.log.publish()
      return [...site.holds.held]
    },
    async makeBackup() {
      const made = await makeBackup(site)
      site.events.backedUp({ backup: made.backup, sizeBytes: made.sizeBytes ?? 0 })
      return backupView(made, site.clock.now())
    },
    async destroyBackup(backup) {
      await site.backups.destroy(backup)
      await settleErasures(site)
      return listBackups()
    },
  }
}
