import { z } from 'zod'
import { siteIdSchema } from './wire.ts'

/** A value that leaves. Whole numbers past 2^53 and decimals travel as texts. */
export const releaseValueSchema = z.union([z.string(), z.number(), z.boolean(), z.null()])
export type ReleaseValue = z.infer<typeof releaseValueSchema>

/** What is known of the noise in one figure of an answer, before any data is looked at. */
export const figureNoiseSchema = z.strictObject({
  /** The column of the answer, from 1. */
  column: z.int().min(1),
  /** The aggregate that it shows, or shows something computed from. */
  measure: z.string(),
  /** By how much one person can change what the noise was added to, over all groups. */
  sensitivity: z.number(),
  /** Half the width of an interval that holds the figure without noise with a probability of 95 %. */
  halfWidth95: z.number(),
  /** What the half width is in: the figure; the figure once divided by the noisy number of rows; or ranks, for a quantile. */
  of: z.enum(['figure', 'figure / rows', 'rank']),
})
export type FigureNoiseNote = z.infer<typeof figureNoiseSchema>

/** The guarantee of a noisy answer: nothing about how it was made is hidden. */
export const privacyNoteSchema = z.strictObject({
  mechanism: z.enum(['discrete Laplace', 'discrete Gaussian']),
  epsilon: z.number(),
  delta: z.number(),
  /** What it counts as of zero-concentrated differential privacy, in budgets. */
  rho: z.number(),
  rowsPerPerson: z.int().min(1),
  groupsPerPerson: z.int().min(1),
  /** Groups are shown from this noisy number of people on; absent where the groups' names are public and all are shown. */
  shownFrom: z.int().optional(),
  figures: z.array(figureNoiseSchema),
  /** The ask whose answer this is again, without another debit. */
  sameAs: z.string().optional(),
})
export type PrivacyNote = z.infer<typeof privacyNoteSchema>

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
  privacy: privacyNoteSchema.optional(),
  /** There where people were left out who were asked about, so that the others can be answered for: `partial.differencing`. */
  isNarrowed: z.literal(true).optional(),
})
export type Release = z.infer<typeof releaseSchema>
