import { z } from '@hono/zod-openapi'
import { instantSchema, memberIdSchema } from '../wire.ts'

/** Why processing is restricted: the four grounds of GDPR Art. 18(1), (a) to (d). */
export const RESTRICTION_REASONS = [
  'accuracy_contested',
  'unlawful',
  'legal_claims',
  'objection_pending',
] as const
export type RestrictionReason = (typeof RESTRICTION_REASONS)[number]

/**
 * Whether a restriction keeps data whose retention ends: the person wants it kept instead of erased, or needs it for
 * legal claims (GDPR Art. 18(1)(b), (c)).
 */
export function isHold(reason: RestrictionReason): boolean {
  return reason === 'unlawful' || reason === 'legal_claims'
}

/** A restriction of one person's processing. `lifting`: the person was told that it ends, and when. */
export const restrictionViewSchema = z
  .strictObject({
    restriction: z.string(),
    issuer: memberIdSchema,
    state: z.enum(['in_force', 'lifting', 'lifted']),
    reason: z.enum(RESTRICTION_REASONS),
    requestedBy: z.string(),
    since: instantSchema,
    liftToldAt: instantSchema.optional(),
    liftsAt: instantSchema.optional(),
    /** Sequences of its receipts in the site's log. */
    receipts: z.array(z.int().min(0)),
  })
  .openapi('Restriction')
export type RestrictionView = z.input<typeof restrictionViewSchema>

const valueSchema = z.union(
  [z.string().max(20_000), z.number(), z.boolean(), z.null()],
  'expected a text, a number, true, false or null',
)

/** Columns with values, as a correction names them. Dates and timestamps are texts. */
export const columnValuesSchema = z.record(z.string(), valueSchema)
export type ColumnValues = z.infer<typeof columnValuesSchema>

/** A correction that was made; it does not repeat the values. */
export const correctionViewSchema = z
  .strictObject({
    correction: z.string(),
    dataSet: z.string(),
    columns: z.array(z.string()),
    /** Rows that were changed. */
    rows: z.int().min(0),
    requestedBy: z.string(),
    correctedAt: instantSchema,
    /** Acquirers that were given rows of this data set with the person in them, who have to be told (GDPR Art. 19). */
    recipients: z.array(memberIdSchema),
    receipt: z.int().min(0),
  })
  .openapi('Correction')
export type CorrectionView = z.input<typeof correctionViewSchema>
