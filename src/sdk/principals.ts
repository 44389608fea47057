import type { z } from 'zod'
import type { GiveAgeEvidence } from '../protocol/law/age-evidence.ts'
import type { principalViewSchema } from '../protocol/http/principal-api.ts'
import { SITE_API } from '../protocol/http/site-api.ts'
import type { HttpClient } from './http-client.ts'
import type { ConsentChanged, PersonScope } from './person.ts'

export type Principal = z.output<typeof principalViewSchema>

/** Who decides for one person, and what that is judged by. */
export interface PrincipalDesk {
  view(): Promise<readonly Principal[]>
  giveEvidence(evidence: GiveAgeEvidence): Promise<readonly Principal[]>
  /** What a wallet has to sign for this person. */
  challenge(): Promise<{ readonly audience: string; readonly nonce: string; readonly validUntil: number }>
  /** Gives a wallet's presentation (an SD-JWT with key binding). */
  prove(presentation: string): Promise<readonly Principal[]>
  /** As the issuer. */
  endEvidence(evidence: string): Promise<readonly Principal[]>
  tellMove(country: string, fromDay?: string): Promise<readonly Principal[]>
  /** Gives as the person's own what guardians granted. */
  confirm(which?: { dataSet?: string; grants?: string[] }): Promise<ConsentChanged>
}

/** The calls of a site's door about who decides for a person. */
export function openPrincipalDesk(client: HttpClient, { ref, issuer, reason }: PersonScope): PrincipalDesk {
  const params = { ref }
  const named = issuer === undefined ? {} : { issuer }
  return {
    view: async () => (await client.call(SITE_API.principal, { params, query: { issuer, reason } })).items,
    giveEvidence: async (body) =>
      (await client.call(SITE_API.giveAgeEvidence, { params, query: { issuer }, body, isKeyed: true })).items,
    challenge: () => client.call(SITE_API.ageChallenge, { params, query: { issuer } }),
    prove: async (presentation) =>
      (
        await client.call(SITE_API.proveAge, {
          params,
          query: { issuer },
          body: { presentation },
          isKeyed: true,
        })
      ).items,
    endEvidence: async (evidence) =>
      (await client.call(SITE_API.endAgeEvidence, { params: { ref, evidence }, isRepeatable: true })).items,
    tellMove: async (country, fromDay) => {
      const body = { country, ...named, ...(fromDay === undefined ? {} : { fromDay }) }
      return (await client.call(SITE_API.tellMove, { params, body, isKeyed: true })).items
    },
    confirm: (which = {}) =>
      client.call(SITE_API.confirmGrants, { params, body: { ...named, ...which }, isRepeatable: true }),
  }
}
