import { z } from 'zod'
import { siteIdSchema } from './wire.ts'

/** A value that leaves. Whole numbers past 2^53 and decimals travel as texts. */
export const releaseValueSchema = z.union([z.string(), z.number(), z.boolean(), z.null()])
export type ReleaseValue = z.infer<typeof releaseValueSchema>

/**
 * What a release holds once its owner has opened it. `remainder` gathers the groups that were suppressed: its group
 * columns are null; it is there only if it reaches the minimum group itself.
 */
export const releaseSchema = z.strictObject({
  ask: z.string(),
  site: siteIdSchema,
  dataSet: z.string(),
  mode: z.string(),
  columns: z.array(z.strictObject({ name: z.string(), type: z.string(), unit: z.string().optional() })),
  rows: z.array(z.array(releaseValueSchema)),
  remainder: z.array(releaseValueSchema).optional(),
  attribution: z.string().optional(),
})
export type Release = z.infer<typeof releaseSchema>
