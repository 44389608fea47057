import { Fault } from '../../kernel/faults.ts'
import type { Door } from '../../kernel/http/door.ts'
import type { Endpoint } from '../../kernel/http/endpoint.ts'
import { SITE_API } from '../../protocol/http/site-api.ts'
import { forbidden } from './may.ts'
import type { DoorCaller, SiteCaller } from './site-acts.ts'

/** All that a supervisory authority may call besides what is open to everybody. A new endpoint is not among it until it is named here. */
const READS: ReadonlySet<Pick<Endpoint, 'path'>> = new Set([
  SITE_API.evidence,
  SITE_API.listReceipts,
  SITE_API.receipt,
  SITE_API.register,
  SITE_API.notice,
  SITE_API.listAssessments,
  SITE_API.listBases,
  SITE_API.listContracts,
  SITE_API.listSubProcessors,
  SITE_API.listAuthorityRequests,
  SITE_API.dataRightsDirectory,
  SITE_API.listOfficers,
  SITE_API.transfers,
  SITE_API.listIncidents,
  SITE_API.incident,
])

/**
 * All that a data-protection officer may call: what an authority may, and what there is of one person, with a reason that the
 * person reads (GDPR Art. 38(2), 39(1)(b)).
 */
const OFFICER_READS: ReadonlySet<Pick<Endpoint, 'path'>> = new Set([
  ...READS,
  SITE_API.listUses,
  SITE_API.earnings,
  SITE_API.listAccesses,
  SITE_API.exportPerson,
  SITE_API.listObjections,
  SITE_API.personBases,
  SITE_API.personConsents,
  SITE_API.requestsOfPerson,
  SITE_API.askAgain,
  SITE_API.listRequests,
  SITE_API.request,
])

/**
 * A door at which an authority and an officer get through to what they may read, and to nothing else, and an acquirer and an
 * enforcement point to nothing at all, whatever the handlers behind think.
 */
export function confineCallers(door: Door<DoorCaller>): Door<SiteCaller> {
  return {
    app: door.app,
    serve: (endpoint, handler) =>
      door.serve(endpoint, (request) => {
        // A public endpoint has no caller, whatever its type says.
        const caller: DoorCaller | undefined = request.caller
        if (caller?.kind === 'regulator' && !READS.has(endpoint)) {
          throw new Fault('fault.forbidden', {
            what: 'A supervisory authority reads and proves, and does nothing else',
          })
        }
        if (caller?.kind === 'acquirer' || caller?.kind === 'enforcement_point') throw forbidden()
        if (caller?.kind === 'officer') {
          if (!OFFICER_READS.has(endpoint)) throw forbidden()
          return handler({ ...request, signal: request.signal, caller: inPlaceOf(caller) })
        }
        return handler(request as typeof request & { readonly caller: SiteCaller })
      }),
  }
}

/** An officer reads what the one who named it may read. */
function inPlaceOf({ officer, issuer }: Extract<DoorCaller, { kind: 'officer' }>): SiteCaller {
  return issuer === undefined ? { kind: 'operator', officer } : { kind: 'issuer', member: issuer, officer }
}
