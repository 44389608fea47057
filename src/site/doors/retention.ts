import type { Door } from '../../kernel/http/door.ts'
import { SITE_API } from '../../protocol/http/site-api.ts'
import { requireOperator, requireReader } from './may.ts'
import type { SiteActs, SiteCaller } from './site-acts.ts'

/** `/v1/retention`: what ends when, and sweeping what has ended. */
export function serveRetention(door: Door<SiteCaller>, acts: SiteActs): void {
  door.serve(SITE_API.retention, ({ caller }) => acts.retention(requireReader(caller)))
  door.serve(SITE_API.sweepRetention, async ({ caller }) => {
    requireOperator(caller)
    return acts.sweepRetention()
  })
}
