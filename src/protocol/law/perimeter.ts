import { z } from 'zod'

/**
 * Where something may happen: countries (ISO 3166-1 alpha-2) or named groups, and optionally a polygon (GeoJSON)
 * that narrows them. `EEA` and `adequate` are resolved by the dated table `legal-zones.ts`.
 */
export const areaSchema = z.string('expected a country or group').regex(/^([A-Z]{2}|EEA|adequate)$/, {
  error: 'expected an ISO 3166-1 alpha-2 country code, "EU", "EEA" or "adequate"',
  abort: true,
})
export type Area = z.infer<typeof areaSchema>

const positionSchema = z.tuple(
  [z.number().min(-180).max(180), z.number().min(-90).max(90)],
  'expected [longitude, latitude] in degrees',
)
const ringSchema = z.array(positionSchema).min(4, 'expected a closed ring of at least 4 positions')
export const polygonSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('Polygon'), coordinates: z.array(ringSchema).min(1) }),
  z.strictObject({
    type: z.literal('MultiPolygon'),
    coordinates: z.array(z.array(ringSchema).min(1)).min(1),
  }),
])
export type PerimeterPolygon = z.infer<typeof polygonSchema>

export const placeRuleSchema = z.strictObject({
  within: z.array(areaSchema).min(1, 'expected at least one country or group'),
  polygon: polygonSchema.optional(),
})
export type PlaceRule = z.infer<typeof placeRuleSchema>

/** The three sets of a perimeter. */
export const perimeterSchema = z.strictObject({
  store: placeRuleSchema,
  process: placeRuleSchema,
  release: placeRuleSchema,
})
export type Perimeter = z.infer<typeof perimeterSchema>

/** Where a result will be used, as the asker declares it. */
export const releaseToSchema = z.strictObject({
  jurisdiction: z
    .string('expected a country')
    .regex(/^[A-Z]{2}$/, 'expected an ISO 3166-1 alpha-2 country code'),
  /** Basis for a transfer to a third country without an adequacy decision, or a condition of one: `scc`, `bcr`, `dpf-certified`, `pipeda`. */
  transferBasis: z.string().min(1, 'expected a basis such as scc').max(100).optional(),
})
export type ReleaseTo = z.infer<typeof releaseToSchema>
