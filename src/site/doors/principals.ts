import type { Door } from '../../kernel/http/door.ts'
import { SITE_API } from '../../protocol/site-api.ts'
import { forbidden, notFound } from './may.ts'
import { readingOf } from './person-scope.ts'
import type { EndScope } from './principal-acts.ts'
import type { SiteActs, SiteCaller } from './site-acts.ts'
import { byOf, speakFor } from './speak-for.ts'

/** `/v1/people/{ref}/guardians` and `/v1/guardianships`: who may speak for whom. */
export function servePrincipals(door: Door<SiteCaller>, acts: SiteActs): void {
  door.serve(SITE_API.establishGuardianship, ({ caller, params, body }) => {
    // Whoever could make guardians could make itself one: only who knows the family, and answers for it.
    if (caller.kind !== 'issuer') throw forbidden()
    const child = { issuer: caller.member, person: params.ref }
    return acts.principals.establishGuardianship(child, { ...body, by: byOf(caller) })
  })
  door.serve(SITE_API.listGuardians, async ({ caller, params, query }) => {
    const speaker = await speakFor(caller, { ref: params.ref, issuer: query.issuer }, acts)
    return acts.principals.listGuardians(readingOf(speaker, { params, query }))
  })
  door.serve(SITE_API.listWards, ({ caller }) => {
    if (caller.kind !== 'person') throw forbidden()
    return acts.principals.listWards(caller.identities)
  })
  door.serve(SITE_API.endGuardianship, async ({ caller, params: { guardianship } }) =>
    acts.principals.endGuardianship({
      guardianship,
      by: caller.kind === 'person' ? `guardian:${guardianship}` : byOf(caller),
      scope: endScopeOf(caller),
    }),
  )
}

function endScopeOf(caller: SiteCaller): EndScope {
  switch (caller.kind) {
    case 'operator':
      return {}
    case 'issuer':
      return { issuer: caller.member }
    case 'person':
      return { identities: caller.identities }
    case 'guardian':
      throw notFound()
    case 'regulator':
      throw forbidden()
  }
}
