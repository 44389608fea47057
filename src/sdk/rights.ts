import type { z } from 'zod'
import type { ErasureReason, erasureViewSchema } from '../protocol/erasure.ts'
import { SITE_API } from '../protocol/site-api.ts'
import { collectPages } from './collect-pages.ts'
import type { HttpClient } from './http-client.ts'

/** The certificate of an erasure, parsed. */
export type Erasure = z.output<typeof erasureViewSchema>

/** Whom a right is exercised for: the key that an issuer knows the person by. An issuer need not name itself. */
export interface PersonReference {
  readonly person: string
  readonly issuer?: string | undefined
}

/** Rights of people at a site, as the person, the issuer or the operator exercises them. */
export interface RightsDesk {
  /** `isAtOnce` waits until nothing is in any file of the site. */
  erase(reference: PersonReference, request: { reason: ErasureReason; isAtOnce?: boolean }): Promise<Erasure>
  erasure(erasure: string): Promise<Erasure>
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
        isRepeatable: true,
      }),
    erasure: (erasure) => client.call(SITE_API.erasure, { params: { erasure } }),
    erasures: () =>
      collectPages((cursor) => client.call(SITE_API.listErasures, { query: { cursor, limit: 200 } })),
    completeErasures: async () => (await client.call(SITE_API.completeErasures)).completed,
  }
}
