import type { Door } from '../../kernel/http/door.ts'
import type { AgeEvidenceKind } from '../../protocol/law/age-evidence.ts'
import { SITE_API } from '../../protocol/http/site-api.ts'
import type { MemberId } from '../../protocol/wire.ts'
import { changeBy } from './grants.ts'
import { forbidden, notFound, requireSubjectSide } from './may.ts'
import { readingOf } from './person-scope.ts'
import { readingBy } from './reading-by.ts'
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
    return acts.principals.listGuardians(await readingBy(caller, { params, query }, acts))
  })
  serveAges(door, acts)
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

/** `/v1/people/{ref}/principal`, `/age-evidence`, `/residence`, `/grants/confirmation`: what people are judged by. */
function serveAges(door: Door<SiteCaller>, acts: SiteActs): void {
  const { principals } = acts
  const speaking = async (caller: SiteCaller, whom: { ref: string; issuer?: MemberId | undefined }) => {
    const speaker = await speakFor(caller, whom, acts)
    const query = { issuer: whom.issuer, reason: 'to enter what is known of the person' }
    return { speaker, reading: readingOf(speaker, { params: whom, query }) }
  }
  door.serve(SITE_API.principal, async ({ caller, params, query }) => {
    return principals.viewPrincipal(await readingBy(caller, { params, query }, acts))
  })
  door.serve(SITE_API.giveAgeEvidence, async ({ caller, params, query, body }) => {
    const { speaker, reading } = await speaking(requireSubjectSide(caller), { ...params, ...query })
    return principals.giveAgeEvidence(reading, { ...body, kind: kindOf(speaker), by: byOf(speaker) })
  })
  // A wallet speaks for who holds it: a guardian's says nothing of a child.
  const ownReading = (caller: SiteCaller, whom: { ref: string; issuer?: MemberId | undefined }) => {
    if (caller.kind !== 'person') throw forbidden()
    return readingOf(caller, { params: whom, query: { issuer: whom.issuer } })
  }
  door.serve(SITE_API.ageChallenge, async ({ caller, params, query }) =>
    principals.ageChallenge(ownReading(caller, { ...params, ...query })),
  )
  door.serve(SITE_API.proveAge, async ({ caller, params, query, body }) =>
    principals.proveAge(ownReading(caller, { ...params, ...query }), body.presentation),
  )
  door.serve(SITE_API.endAgeEvidence, async ({ caller, params }) => {
    // Whoever gave it may have wanted to be older, or a child to be younger: the one who answers for the data ends it.
    if (caller.kind !== 'issuer') throw forbidden()
    const { reading } = await speaking(caller, params)
    return principals.endAgeEvidence(reading, params.evidence)
  })
  door.serve(SITE_API.tellMove, async ({ caller, params, body: { issuer, ...move } }) => {
    const { speaker, reading } = await speaking(requireSubjectSide(caller), { ...params, issuer })
    return principals.tellMove(reading, { ...move, isConfirmed: speaker.kind === 'issuer' })
  })
  door.serve(SITE_API.confirmGrants, async ({ caller, params, body, idempotencyKey }) => {
    const { issuer, ...confirmation } = body
    const { speaker, reading } = await speaking(requireSubjectSide(caller), { ...params, issuer })
    if (speaker.kind === 'guardian') throw forbidden()
    return principals.confirmGrants(reading, confirmation, changeBy(speaker, idempotencyKey, acts))
  })
}

function kindOf(speaker: SiteCaller): AgeEvidenceKind {
  if (speaker.kind === 'issuer') return 'document'
  return speaker.kind === 'guardian' ? 'guardian' : 'declared'
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
