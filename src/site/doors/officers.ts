import type { Door } from '../../kernel/http/door.ts'
import { SITE_API } from '../../protocol/http/site-api.ts'
import { notFound, requireReader, requireStaff } from './may.ts'
import type { OfficerActs } from './officer-acts.ts'
import type { SiteCaller } from './site-acts.ts'

/** `/v1/officers`: who may read here as a data-protection officer. */
export function serveOfficers(door: Door<SiteCaller>, officer: OfficerActs): void {
  door.serve(SITE_API.listOfficers, async ({ caller }) => ({
    items: await officer.listOfficers(requireReader(caller)),
  }))
  door.serve(SITE_API.nameOfficer, ({ caller, params, body }) =>
    officer.nameOfficer({ ...params, ...requireStaff(caller), keys: body.keys }),
  )
  door.serve(SITE_API.dismissOfficer, async ({ caller, params }) => {
    if (!(await officer.dismissOfficer({ ...params, ...requireStaff(caller) }))) throw notFound()
    return new Response(null, { status: 204 })
  })
}
