import type { Door } from '../../kernel/http/door.ts'
import { SITE_API } from '../../protocol/http/site-api.ts'
import { serveLog } from '../../transparency/serve-log.ts'
import { notFound, requireReader } from './may.ts'
import type { SiteActs, SiteCaller } from './site-acts.ts'

/** `/v1/receipts`, and the log as static files: `/checkpoint` and `/tile/…` (C2SP tlog-tiles). */
export function serveReceipts(door: Door<SiteCaller>, acts: SiteActs): void {
  door.serve(SITE_API.listReceipts, ({ caller, query }) =>
    acts.listReceipts({ ...query, ...requireReader(caller) }),
  )
  door.serve(SITE_API.receipt, async ({ caller, params }) => {
    const bundle = await acts.findReceipt({ ...requireReader(caller), sequence: params.sequence })
    if (!bundle) throw notFound()
    return bundle
  })
  serveLog(door, acts)
}
