import { z } from 'zod'
import { privacyNoteSchema } from './release.ts'
import { REASON_CODES } from './reason.ts'
import type { ReasonCode } from './reason.ts'
import {
  askIdSchema,
  compactJweSchema,
  compactJwsSchema,
  digestSchema,
  instantSchema,
  moneySchema,
  siteIdSchema,
} from './wire.ts'

export const reasonCodeSchema = z.enum(REASON_CODES as [ReasonCode, ...ReasonCode[]])
export const DECISIONS = ['approved', 'partial', 'declined'] as const

/** The kind of a reason: what stands before its first dot. */
export function decisionOf(reason: ReasonCode): (typeof DECISIONS)[number] {
  return reason === 'approved' ? 'approved' : reason.startsWith('partial.') ? 'partial' : 'declined'
}

/** A receipt with what it takes to verify it off line: its place in the log, the proof and the signed checkpoint. */
export const receiptBundleSchema = z.strictObject({
  receipt: compactJwsSchema,
  log: z.strictObject({
    origin: z.string(),
    index: z.int().min(0),
    /** Hashes from the leaf upwards, base64 (RFC 9162 §2.1.3). */
    inclusionProof: z.array(z.string()),
    /** Signed note (C2SP tlog-checkpoint). */
    checkpoint: z.string(),
  }),
})
export type ReceiptBundle = z.infer<typeof receiptBundleSchema>

/** What one site says to one ask; signed by the site. Nothing here tells a count below *k*. */
export const siteDecisionSchema = z.strictObject({
  ask: askIdSchema,
  site: siteIdSchema,
  decision: z.enum(DECISIONS),
  reason: reasonCodeSchema,
  /** For the asker: names the column, function or position; never a value or a count of people. */
  detail: z.string().max(500).optional(),
  /** Where in the text of the question the trouble is, in characters from 1. */
  position: z.int().min(1).optional(),
  narrowed: z
    .strictObject({ columns: z.array(z.string()).optional(), mode: z.string().optional() })
    .optional(),
  price: moneySchema.optional(),
  /** People behind the release, as the step reached (`COUNT_STEPS`). */
  people: z.int().min(0).optional(),
  /** At least this share of the data set's people is behind the release, in percent, rounded down to 5. */
  coveragePct: z.int().min(0).max(100).optional(),
  releaseDigest: digestSchema.optional(),
  /** Of mode `private`: the guarantee and the expected error; columns by their number, because names are sealed. */
  privacy: privacyNoteSchema.optional(),
  decidedAt: instantSchema,
})
export type SiteDecision = z.infer<typeof siteDecisionSchema>

/** What a site pushes when it has answered: all in one message, so that release and capture are one step at the network. */
export const decisionMessageSchema = z.strictObject({
  decision: compactJwsSchema,
  release: compactJweSchema.optional(),
  receipts: z.array(receiptBundleSchema).min(1),
  clearing: compactJwsSchema.optional(),
})
export type DecisionMessage = z.infer<typeof decisionMessageSchema>
