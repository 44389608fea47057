import type { Door } from '../../kernel/http/door.ts'
import { SITE_API } from '../../protocol/http/site-api.ts'
import { notFound, requireReader, requireStaff, requireSteward } from './may.ts'
import type { SiteActs, SiteCaller } from './site-acts.ts'

/** `/v1/officer/contracts`: under which contracts data is processed here. */
export function serveContracts(door: Door<SiteCaller>, { officer }: Pick<SiteActs, 'officer'>): void {
  door.serve(SITE_API.listContracts, ({ caller }) => officer.listContracts(requireReader(caller)))
  door.serve(SITE_API.recordContract, ({ caller, body }) => {
    requireSteward(caller, body.controller)
    return officer.recordContract(body, { by: staffName(caller) })
  })
  door.serve(SITE_API.endContract, async ({ caller, params, body }) => {
    const request = { ...requireStaff(caller), ...params, ...body }
    const ended = await officer.endContract(request, { by: staffName(caller) })
    if (!ended) throw notFound()
    return ended
  })
}

function staffName(caller: SiteCaller): string {
  return caller.kind === 'issuer' ? `issuer:${caller.member}` : 'operator'
}
