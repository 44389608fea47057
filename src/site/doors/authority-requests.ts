import type { Door } from '../../kernel/http/door.ts'
import { SITE_API } from '../../protocol/http/site-api.ts'
import { notFound, requireOperator, requireReader } from './may.ts'
import type { SiteActs, SiteCaller } from './site-acts.ts'

/** `/v1/officer/authority-requests`: what authorities of third countries want, and what was decided. */
export function serveAuthorityRequests(door: Door<SiteCaller>, { officer }: Pick<SiteActs, 'officer'>): void {
  door.serve(SITE_API.listAuthorityRequests, ({ caller }) =>
    officer.listAuthorityRequests(requireReader(caller)),
  )
  door.serve(SITE_API.recordAuthorityRequest, ({ caller, body }) => {
    requireOperator(caller)
    return officer.recordAuthorityRequest(body)
  })
  door.serve(SITE_API.decideAuthorityRequest, async ({ caller, params, body }) => {
    requireOperator(caller)
    const decided = await officer.decideAuthorityRequest({ ...params, decision: body })
    if (!decided) throw notFound()
    return decided
  })
}
