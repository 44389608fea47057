import type { z } from 'zod'
import { formatInstant } from '../../kernel/clock.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import type {
  AccessDecision,
  AccessRequest,
  AccessRequests,
  ActionSearch,
  ResourceSearch,
  enforcementPointSchema,
} from '../../protocol/http/access-api.ts'
import type { KeySet } from '../../protocol/member.ts'
import type { MemberId } from '../../protocol/wire.ts'
import { ENFORCEMENT_POINTS, nameEnforcementPoint } from '../access/enforcement-points.ts'
import { accessDecision, evaluateAccess } from '../access/evaluate-access.ts'
import type { AccessParts, Asker, Evaluated } from '../access/evaluate-access.ts'
import { evaluateInOrder, unpackEvaluations } from '../access/evaluate-together.ts'
import { notePermits } from '../access/note-permits.ts'
import { searchActions, searchDataSets } from '../access/search-access.ts'
import type { NamedCaller } from '../named-callers.ts'

type PointView = z.input<typeof enforcementPointSchema>

/** What the door calls for enforcement points. */
export interface AccessActs {
  evaluate(request: AccessRequest, asker: Asker): Promise<AccessDecision>
  evaluateAll(
    requests: AccessRequests,
    asker: Asker,
  ): Promise<AccessDecision | { evaluations: AccessDecision[] }>
  searchDataSets(request: ResourceSearch, asker: Asker): ReturnType<typeof searchDataSets>
  searchActions(request: ActionSearch, asker: Asker): ReturnType<typeof searchActions>
  listPoints(scope: { issuer?: MemberId | undefined }): Promise<PointView[]>
  namePoint(point: { point: MemberId; issuer?: MemberId | undefined; keys: KeySet }): Promise<PointView>
  dismissPoint(point: { point: MemberId; issuer?: MemberId | undefined }): Promise<boolean>
  pointKey(
    member: string,
    keyId: string,
  ): Promise<{ readonly key: PublicJwk; readonly issuer?: MemberId | undefined } | undefined>
}

/** Decisions for enforcement points, in the forms of the door. */
export function accessActs(parts: AccessParts): AccessActs {
  const { site } = parts
  const decide = async (request: AccessRequest, asker: Asker): Promise<Evaluated> => {
    const evaluated = await evaluateAccess(parts, request, asker)
    const { outcome, question } = evaluated
    const isOfPerson = question?.kind === 'use' && question.person !== undefined
    const reason = outcome.ok ? 'approved' : outcome.error.code
    site.events.evaluated({ by: asker.by, reason: isOfPerson ? undefined : reason })
    return evaluated
  }
  const single = async (request: AccessRequest, asker: Asker): Promise<AccessDecision> => {
    const evaluated = await decide(request, asker)
    await notePermits(site, [evaluated])
    return accessDecision(evaluated)
  }
  return {
    evaluate: single,
    async evaluateAll(requests, asker) {
      const unpacked = unpackEvaluations(requests)
      if ('single' in unpacked) return single(unpacked.single, asker)
      const evaluated = await evaluateInOrder(unpacked, async (request) => {
        const value = await decide(request, asker)
        return { isAllowed: value.outcome.ok, value }
      })
      await notePermits(site, evaluated)
      return { evaluations: evaluated.map(accessDecision) }
    },
    searchDataSets: (request, asker) => searchDataSets(parts, request, asker),
    searchActions: (request, asker) => searchActions(parts, request, asker),
    listPoints: async (scope) => (await ENFORCEMENT_POINTS.list(site.db, scope)).map(pointView),
    namePoint: async ({ point: member, ...named }) =>
      pointView(await nameEnforcementPoint(parts, { member, ...named, namedAt: site.clock.now() })),
    dismissPoint: ({ point: member, issuer }) => ENFORCEMENT_POINTS.dismiss(site.db, { member, issuer }),
    pointKey: (member, keyId) => ENFORCEMENT_POINTS.findKey(site.db, { member, keyId }),
  }
}

function pointView({ member, namedAt, ...named }: NamedCaller): PointView {
  return { point: member, ...named, namedAt: formatInstant(namedAt) }
}
