import { z } from 'zod'
import { countrySchema, instantSchema, siteIdSchema } from '../wire.ts'

/** What a statement of place rests on. Software cannot prove a place; the kind says how much to believe. */
export const EVIDENCE_KINDS = ['operator-attested', 'provider-attested', 'tpm-attested'] as const

/** A signed, expiring statement of where a site is (WGS 84 degrees). Signed with the operator's key of the site. */
export const evidenceSchema = z.strictObject({
  site: siteIdSchema,
  kind: z.enum(EVIDENCE_KINDS),
  territory: countrySchema,
  longitude: z.number('expected degrees').min(-180, 'expected -180 to 180').max(180, 'expected -180 to 180'),
  latitude: z.number('expected degrees').min(-90, 'expected -90 to 90').max(90, 'expected -90 to 90'),
  /** The operator has looked at the map: a point near a border is believed only with this. */
  attestsNearBorder: z.boolean().default(false),
  validFrom: instantSchema,
  validUntil: instantSchema,
})
export type Evidence = z.infer<typeof evidenceSchema>
