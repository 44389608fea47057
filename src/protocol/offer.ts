import { z } from 'zod'
import { columnSchema } from './data-set.ts'
import { keySetSchema } from './member.ts'
import { modeSchema } from './mode.ts'
import { perimeterSchema } from './law/perimeter.ts'
import { splitsSchema } from './money/split.ts'
import { tariffSchema } from './money/tariff.ts'
import { columnNameSchema, countrySchema, dataSetIdSchema, memberIdSchema, siteIdSchema } from './wire.ts'

/** What an acquirer can ask for: a data set at a site with its terms. No count of people, no values. */
export const offerSchema = z.strictObject({
  site: siteIdSchema,
  siteCountry: countrySchema,
  siteKeys: keySetSchema,
  dataSet: dataSetIdSchema,
  title: z.string(),
  description: z.string().optional(),
  attribution: z.string().optional(),
  issuer: memberIdSchema,
  issuerProcessor: memberIdSchema.optional(),
  /** The column that sources are joined by, and how many rows of one person there may be: what a question must know. */
  person: z.strictObject({ key: columnNameSchema, rowsMax: z.int().min(1) }).optional(),
  columns: z.array(columnSchema),
  purposes: z.array(z.string()),
  modes: z.array(modeSchema),
  legalBasis: z.string(),
  perimeter: perimeterSchema,
  minimumGroup: z.int(),
  dimensionsMax: z.int(),
  tariff: tariffSchema,
  splits: splitsSchema,
})
export type Offer = z.infer<typeof offerSchema>
