import type { z } from 'zod'
import type { EstablishGuardianship, guardianshipViewSchema } from '../protocol/consent/guardianship.ts'
import { SITE_API } from '../protocol/http/site-api.ts'
import type { HttpClient } from './http-client.ts'
import type { PersonScope } from './person.ts'

export type Guardianship = z.output<typeof guardianshipViewSchema>

/** Who may speak for whom at a site. */
export interface GuardianDesk {
  /** As the issuer: establishes a guardian of the person whom it knows by this key. */
  establish(person: string, facts: EstablishGuardianship): Promise<Guardianship>
  /** Who may speak for a person. */
  guardiansOf(scope: PersonScope): Promise<readonly Guardianship[]>
  /** For whom the person who is signed in may speak. */
  wards(): Promise<readonly Guardianship[]>
  end(guardianship: string): Promise<Guardianship>
}

/** The calls of a site's door for guardians. */
export function openGuardianDesk(client: HttpClient): GuardianDesk {
  return {
    establish: (ref, body) =>
      client.call(SITE_API.establishGuardianship, { params: { ref }, body, isRepeatable: true }),
    guardiansOf: async ({ ref, issuer, reason }) =>
      (await client.call(SITE_API.listGuardians, { params: { ref }, query: { issuer, reason } })).items,
    wards: async () => (await client.call(SITE_API.listWards)).items,
    end: (guardianship) =>
      client.call(SITE_API.endGuardianship, { params: { guardianship }, isRepeatable: true }),
  }
}
