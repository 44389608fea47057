import type { Door } from '../../kernel/http/door.ts'
import { BACKUP_API } from '../../protocol/http/backup-api.ts'
import { requireOperator } from './may.ts'
import type { SiteActs, SiteCaller } from './site-acts.ts'

/** `/v1/backups` and `/v1/holds`: the operator's. */
export function serveBackups(door: Door<SiteCaller>, acts: SiteActs): void {
  door.serve(BACKUP_API.listBackups, async ({ caller }) => {
    requireOperator(caller)
    return { items: await acts.listBackups() }
  })
  door.serve(BACKUP_API.listHolds, ({ caller }) => {
    requireOperator(caller)
    return Promise.resolve({ acquirers: acts.listHolds() })
  })
  door.serve(BACKUP_API.liftHold, async ({ caller, params, body }) => {
    requireOperator(caller)
    return { acquirers: await acts.liftHold({ acquirer: params.acquirer, reason: body.reason }) }
  })
  door.serve(BACKUP_API.makeBackup, ({ caller }) => {
    requireOperator(caller)
    return acts.makeBackup()
  })
  door.serve(BACKUP_API.destroyBackup, async ({ caller, params }) => {
    requireOperator(caller)
    return { items: await acts.destroyBackup(params.backup) }
  })
}
