import { Fault } from '../../kernel/faults.ts'
import type { Door } from '../../kernel/http/door.ts'
import type { Endpoint } from '../../kernel/http/endpoint.ts'
import { SITE_API } from '../../protocol/site-api.ts'
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
  SITE_API.dataRightsDirectory,
  SITE_API.transfers,
  SITE_API.listIncidents,
  SITE_API.incident,
])

/**
 * A door at which an authority gets through to what it may read, and to nothing else, and an acquirer to nothing at all,
 * whatever the handlers behind think.
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
        if (caller?.kind === 'acquirer') throw forbidden()
        return handler(request as typeof request & { readonly caller: SiteCaller })
      }),
  }
}
