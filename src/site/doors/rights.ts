import type { Door } from '../../kernel/http/door.ts'
import { SITE_API } from '../../protocol/http/site-api.ts'
import type { MemberId } from '../../protocol/wire.ts'
import { notFound, requireOperator, requireReader, requireStaff } from './may.ts'
import { readingBy } from './reading-by.ts'
import { onBehalfOf } from './on-behalf.ts'
import type { SiteActs, SiteCaller } from './site-acts.ts'
import { speakFor } from './speak-for.ts'

/** `/v1/people/{ref}/erasure`, `/correction`, `/restriction`, and `/v1/erasures`. */
export function serveRights(door: Door<SiteCaller>, acts: SiteActs): void {
  const behalfOf = async (caller: SiteCaller, whom: { ref: string; issuer?: MemberId | undefined }) =>
    onBehalfOf(await speakFor(caller, whom, acts), whom, acts)
  door.serve(SITE_API.erasePerson, async ({ caller, params, body, idempotencyKey }) => {
    const { reason, isAtOnce, issuer } = body
    const person = await behalfOf(caller, { ref: params.ref, issuer })
    const requestKey =
      idempotencyKey === undefined
        ? undefined
        : acts.requestMark(`${person.by} ${person.nameMark} ${idempotencyKey}`)
    return acts.erasePerson({ ...person, reason, isAtOnce, requestKey })
  })
  door.serve(SITE_API.correctPerson, async ({ caller, params, body: { issuer, ...correction } }) =>
    acts.correctPerson({ ...(await behalfOf(caller, { ref: params.ref, issuer })), ...correction }),
  )
  door.serve(SITE_API.restrictPerson, async ({ caller, params, body: { issuer, reason } }) =>
    acts.restrictPerson({ ...(await behalfOf(caller, { ref: params.ref, issuer })), reason }),
  )
  door.serve(SITE_API.restriction, async ({ caller, params, query: { issuer } }) =>
    acts.findRestriction(await behalfOf(caller, { ref: params.ref, issuer })),
  )
  door.serve(SITE_API.liftRestriction, async ({ caller, params, body: { issuer } }) =>
    acts.liftRestriction(await behalfOf(caller, { ref: params.ref, issuer })),
  )
  door.serve(SITE_API.listErasures, ({ caller, query }) =>
    acts.listErasures({ ...query, ...requireStaff(caller) }),
  )
  door.serve(SITE_API.erasure, async ({ caller, params }) => {
    // An id that nobody can guess is what a person whose key is destroyed can still be known by.
    const found = await acts.findErasure({ erasure: params.erasure, issuers: issuersOf(caller) })
    if (!found) throw notFound()
    return found
  })
  door.serve(SITE_API.listSentNotices, ({ caller, query }) =>
    acts.listSentNotices({ ...query, ...requireReader(caller) }),
  )
  door.serve(SITE_API.personNotices, async ({ caller, params, query }) =>
    acts.personNotices(await readingBy(caller, { params, query }, acts)),
  )
  door.serve(SITE_API.completeErasures, async ({ caller }) => {
    requireOperator(caller)
    return { completed: await acts.completeErasures() }
  })
}

/** Whose erasures a caller may see; `undefined`: everybody's. A person may have been erased for any of the issuers that they sign in with. */
function issuersOf(caller: SiteCaller): readonly MemberId[] | undefined {
  switch (caller.kind) {
    case 'operator':
    case 'regulator':
      return undefined
    case 'issuer':
      return [caller.member]
    case 'person':
    case 'guardian':
      return caller.identities.map(({ issuer }) => issuer)
  }
}
