import { Fault } from '../../kernel/faults.ts'
import type { Door } from '../../kernel/http/door.ts'
import { SITE_API } from '../../protocol/http/site-api.ts'
import { forbidden, requireStaff } from './may.ts'
import { requiredReason } from './person-scope.ts'
import { readingBy } from './reading-by.ts'
import type { RequestScope } from './request-acts.ts'
import type { SiteActs, SiteCaller } from './site-acts.ts'
import { byOf } from './speak-for.ts'

/** `/v1/people/{ref}/requests` and `/v1/requests`: made by people, handled by who answers for their data. */
export function serveRequests(door: Door<SiteCaller>, acts: SiteActs): void {
  door.serve(SITE_API.makeRequest, async ({ caller, params, query, body }) => {
    const reading = await readingBy(caller, { params, query }, acts)
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
  door.serve(SITE_API.requestsOfPerson, async ({ caller, params, query }) => {
    return acts.requestsOfPerson(await readingBy(caller, { params, query }, acts))
  })
  door.serve(SITE_API.listRequests, async ({ caller, query: { open, ...page } }) =>
    acts.listRequests({ ...page, ...requireStaff(caller), isOpen: open === 'true' }),
  )
  door.serve(SITE_API.request, ({ caller, params, query }) =>
    asSpeaker(caller, acts, (speaker) =>
      acts.findRequest({
        id: params.request,
        scope: scopeOf(speaker),
        reader: {
          by: byOf(speaker),
          ...(isSubject(speaker) ? {} : { reason: requiredReason(query.reason) }),
        },
      }),
    ),
  )
  door.serve(SITE_API.handleRequest, ({ caller, params, body }) => {
    // Handling is for those who answer; a person takes their own request back, and nothing else.
    if (caller.kind === 'person' ? body.event !== 'withdraw' : body.event === 'withdraw') throw forbidden()
    return asSpeaker(caller, acts, (speaker) =>
      acts.handleRequest({
        id: params.request,
        scope: scopeOf(speaker),
        act: { ...body, by: byOf(speaker) },
      }),
    )
  })
}

/** Tries as who calls; what is not theirs may be a child's for whom they speak. */
async function asSpeaker<T>(
  caller: SiteCaller,
  acts: SiteActs,
  act: (speaker: SiteCaller) => Promise<T>,
): Promise<T> {
  try {
    return await act(caller)
  } catch (error) {
    if (caller.kind !== 'person' || !isNotFound(error)) throw error
    for (const { guardianship, ...child } of await acts.principals.findWards(caller.identities)) {
      const speaker = {
        kind: 'guardian',
        guardianship,
        ...child,
        identities: [child],
        guardian: caller,
      } as const
      const done = await act(speaker).catch((refused: unknown) => {
        if (!isNotFound(refused)) throw refused
      })
      if (done !== undefined) return done
    }
    throw error
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof Fault && error.code === 'fault.not_found'
}

/** Whether somebody speaks for the person whose request it is: the person, or a guardian. */
function isSubject(speaker: SiteCaller): speaker is Extract<SiteCaller, { kind: 'person' | 'guardian' }> {
  return speaker.kind === 'person' || speaker.kind === 'guardian'
}

function scopeOf(caller: SiteCaller): RequestScope {
  return isSubject(caller) ? { identities: caller.identities } : requireStaff(caller)
}
