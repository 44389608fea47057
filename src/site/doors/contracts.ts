import type { Door } from '../../kernel/http/door.ts'
import { SITE_API } from '../../protocol/http/site-api.ts'
import { forbidden, notFound, requireOperator, requireReader, requireStaff, requireSteward } from './may.ts'
import type { SiteActs, SiteCaller } from './site-acts.ts'

/** `/v1/officer/contracts` and `/v1/officer/sub-processors`: under which contracts data is processed here, and by whom else. */
export function serveContracts(door: Door<SiteCaller>, { officer }: Pick<SiteActs, 'officer'>): void {
  door.serve(SITE_API.listContracts, ({ caller }) => officer.listContracts(requireReader(caller)))
  serveSubProcessors(door, officer)
  door.serve(SITE_API.recordContract, ({ caller, body }) => {
    requireSteward(caller, body.controller)
    return officer.recordContract(body, { by: staffName(caller) })
  })
  door.serve(SITE_API.confirmContract, async ({ caller, params }) => {
    const request = { ...requireStaff(caller), ...params }
    const confirmed = await officer.confirmContract(request, { by: staffName(caller) })
    if (!confirmed) throw notFound()
    return confirmed
  })
  door.serve(SITE_API.endContract, async ({ caller, params, body }) => {
    const request = { ...requireStaff(caller), ...params, ...body }
    const ended = await officer.endContract(request, { by: staffName(caller) })
    if (!ended) throw notFound()
    return ended
  })
}

function serveSubProcessors(door: Door<SiteCaller>, officer: SiteActs['officer']): void {
  door.serve(SITE_API.listSubProcessors, ({ caller }) => officer.listSubProcessors(requireReader(caller)))
  door.serve(SITE_API.announceSubProcessor, ({ caller, body }) => {
    requireOperator(caller)
    return officer.announceSubProcessor(body)
  })
  door.serve(SITE_API.answerSubProcessor, async ({ caller, params, body }) => {
    const scope = requireStaff(caller)
    // Who announces does not approve, and who is told does not take back.
    if ((body.answer === 'withdrawn') !== (caller.kind === 'operator')) throw forbidden()
    const answered = await officer.answerSubProcessor({
      ...scope,
      ...params,
      ...body,
      by: staffName(caller),
    })
    if (!answered) throw notFound()
    return answered
  })
}

function staffName(caller: SiteCaller): string {
  return caller.kind === 'issuer' ? `issuer:${caller.member}` : 'operator'
}
