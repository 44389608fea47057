import type { z } from 'zod'
import { ACCESS_API } from '../protocol/http/access-api.ts'
import type {
  AccessDecision,
  accessRequestSchema,
  accessRequestsSchema,
  enforcementPointSchema,
} from '../protocol/http/access-api.ts'
import type { KeySet } from '../protocol/member.ts'
import type { HttpClient } from './http-client.ts'

export type WireAccessRequest = z.input<typeof accessRequestSchema>
export type WireAccessRequests = z.input<typeof accessRequestsSchema>
export type EnforcementPointView = z.output<typeof enforcementPointSchema>

/** An application's calls for decisions at a site, and those of whoever names such applications. */
export interface DecisionPoint {
  evaluate(request: WireAccessRequest): Promise<AccessDecision>
  /** Answers in the order of the list, as many as its semantic makes. */
  evaluateAll(
    requests: WireAccessRequests & { readonly evaluations: readonly unknown[] },
  ): Promise<readonly AccessDecision[]>
  points(): Promise<readonly EnforcementPointView[]>
  namePoint(point: string, keys: KeySet): Promise<EnforcementPointView>
  dismissPoint(point: string): Promise<void>
}

export function openDecisionPoint(client: HttpClient): DecisionPoint {
  return {
    evaluate: (body) => client.call(ACCESS_API.evaluateAccess, { body, isRepeatable: true }),
    async evaluateAll(body) {
      const answer = await client.call(ACCESS_API.evaluateAccesses, { body, isRepeatable: true })
      return 'evaluations' in answer ? answer.evaluations : [answer]
    },
    points: async () => (await client.call(ACCESS_API.listEnforcementPoints)).items,
    namePoint: (point, keys) =>
      client.call(ACCESS_API.nameEnforcementPoint, { params: { point }, body: { keys } }),
    async dismissPoint(point) {
      await client.text(ACCESS_API.dismissEnforcementPoint, { params: { point } })
    },
  }
}
