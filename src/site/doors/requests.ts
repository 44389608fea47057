import { Fault } from '../../kernel/faults.ts'
import type { Door } from '../../kernel/http/door.ts'
import { SITE_API } from '../../protocol/site-api.ts'
import type { Reader } from '../rights/person-reading.ts'
import { forbidden, requireStaff } from './may.ts'
import { readingOf, requiredReason } from './person-scope.ts'
import type { RequestScope } from './request-acts.ts'
import type { SiteActs, SiteCaller } from './site-acts.ts'

/** `/v1/people/{ref}/requests` and `/v1/requests`: made by people, handled by who answers for their data. */
export function serveRequests(door: Door<SiteCaller>, acts: SiteActs): void {
  door.serve(SITE_API.makeRequest, async ({ caller, params, query, body }) => {
    const reading = readingOf(caller, { params, query })
    if (caller.kind === 'person' && body.receivedAt !== undefined) {
      throw new Fault('fault.request_malformed', {
        what: 'Cannot enter the request: it comes now',
        errors: [
          { field: 'receivedAt', expected: 'expected nothing; only who enters a letter says when it came' },
        ],
      })
    }
    return acts.makeRequest(reading, body)
  })
  door.serve(SITE_API.requestsOfPerson, async ({ caller, params, query }) =>
    acts.requestsOfPerson(readingOf(caller, { params, query })),
  )
  door.serve(SITE_API.listRequests, async ({ caller, query: { open, ...page } }) =>
    acts.listRequests({ ...page, ...requireStaff(caller), isOpen: open === 'true' }),
  )
  door.serve(SITE_API.request, async ({ caller, params, query }) =>
    acts.findRequest({
      id: params.request,
      scope: scopeOf(caller),
      reader: {
        by: byOf(caller),
        ...(caller.kind === 'person' ? {} : { reason: requiredReason(query.reason) }),
      },
    }),
  )
  door.serve(SITE_API.handleRequest, async ({ caller, params, body }) => {
    // Handling is for those who answer; a person takes their own request back, and nothing else.
    if (caller.kind === 'person' ? body.event !== 'withdraw' : body.event === 'withdraw') throw forbidden()
    const act = { ...body, by: byOf(caller) }
    return acts.handleRequest({ id: params.request, scope: scopeOf(caller), act })
  })
}

function scopeOf(caller: SiteCaller): RequestScope {
  return caller.kind === 'person' ? { identities: caller.identities } : requireStaff(caller)
}

function byOf(caller: SiteCaller): Reader['by'] {
  return caller.kind === 'issuer' ? `issuer:${caller.member}` : caller.kind
}
