import type { z } from 'zod'
import type { ErasureReason, erasureViewSchema } from '../protocol/rights/erasure.ts'
import type {
  ColumnValues,
  RestrictionReason,
  correctionViewSchema,
  restrictionViewSchema,
} from '../protocol/rights/restriction.ts'
import type { sentNoticeSchema } from '../protocol/http/rights-api.ts'
import { SITE_API } from '../protocol/http/site-api.ts'
import { collectPages } from './collect-pages.ts'
import type { HttpClient } from './http-client.ts'

/** The certificate of an erasure, parsed. */
export type Erasure = z.output<typeof erasureViewSchema>

/** A notice to an acquirer that was given rows, as the site's side sees it. */
export type SentNotice = z.output<typeof sentNoticeSchema>

export type Correction = z.output<typeof correctionViewSchema>
export type Restriction = z.output<typeof restrictionViewSchema>

/** What is to stand in a person's rows, and in which of them. */
export interface CorrectionOfRows {
  readonly dataSet: string
  readonly set: ColumnValues
  readonly where?: ColumnValues
}

/** Whom a right is exercised for: the key that an issuer knows the person by. An issuer need not name itself. */
export interface PersonReference {
  readonly person: string
  readonly issuer?: string | undefined
}

/** Rights of people at a site, as the person, the issuer or the operator exercises them. */
export interface RightsDesk {
  /** `isAtOnce` waits until nothing is in any file of the site. */
  erase(reference: PersonReference, request: { reason: ErasureReason; isAtOnce?: boolean }): Promise<Erasure>
  correct(reference: PersonReference, request: CorrectionOfRows): Promise<Correction>
  restrict(reference: PersonReference, reason: RestrictionReason): Promise<Restriction>
  restriction(reference: PersonReference): Promise<Restriction>
  /** Tells the person that it ends; it does when the notice is over. */
  liftRestriction(reference: PersonReference): Promise<Restriction>
  erasure(erasure: string): Promise<Erasure>
  /** Notices to acquirers that were given rows, with what became of each. */
  sentNotices(state?: 'open' | 'all'): Promise<readonly SentNotice[]>
  erasures(): Promise<readonly Erasure[]>
  completeErasures(): Promise<number>
}

/** The calls of a site's door for rights of people. */
export function openRightsDesk(client: HttpClient): RightsDesk {
  return {
    erase: ({ person, issuer }, { reason, isAtOnce = false }) =>
      client.call(SITE_API.erasePerson, {
        params: { ref: person },
        body: { reason, isAtOnce, ...(issuer === undefined ? {} : { issuer }) },
        // Whoever is erased is nobody: asked for again, it is found by its key alone.
        isKeyed: true,
      }),
    correct: ({ person, issuer }, request) =>
      client.call(SITE_API.correctPerson, {
        params: { ref: person },
        body: { ...request, ...(issuer === undefined ? {} : { issuer }) },
        isRepeatable: true,
      }),
    restrict: ({ person, issuer }, reason) =>
      client.call(SITE_API.restrictPerson, {
        params: { ref: person },
        body: { reason, ...(issuer === undefined ? {} : { issuer }) },
        isRepeatable: true,
      }),
    restriction: ({ person, issuer }) =>
      client.call(SITE_API.restriction, { params: { ref: person }, query: { issuer } }),
    liftRestriction: ({ person, issuer }) =>
      client.call(SITE_API.liftRestriction, {
        params: { ref: person },
        body: issuer === undefined ? {} : { issuer },
        isRepeatable: true,
      }),
    erasure: (erasure) => client.call(SITE_API.erasure, { params: { erasure } }),
    sentNotices: (state = 'all') =>
      collectPages((cursor) =>
        client.call(SITE_API.listSentNotices, { query: { state, cursor, limit: 200 } }),
      ),
    erasures: () =>
      collectPages((cursor) => client.call(SITE_API.listErasures, { query: { cursor, limit: 200 } })),
    completeErasures: async () => (await client.call(SITE_API.completeErasures)).completed,
  }
}
