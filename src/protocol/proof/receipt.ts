import { z } from 'zod'
import { reasonCodeSchema } from '../decision.ts'
import { ERASURE_GRADES } from '../rights/erasure.ts'
import { ACKNOWLEDGED_OUTCOMES } from '../rights/recipient-notice.ts'
import { digestSchema, instantSchema, moneySchema, nameSchema } from '../wire.ts'

export const RECEIPT_KINDS = [
  'ask',
  'release',
  'decline',
  'grant',
  'revocation',
  'ingest',
  'erasure',
  'export',
  'access',
  'evaluation',
  'correction',
  'restriction',
  'retention',
  'notice',
  'acknowledgement',
  'withdrawal',
  'dispute',
  'objection',
  'refusal',
  'request',
  'guardianship',
  'principal',
  'policy',
  'evidence',
  'checkpoint',
  'backup',
  'restore',
  'rotation',
] as const
export type ReceiptKind = (typeof RECEIPT_KINDS)[number]

/**
 * The signed statement of a decision or an operation: canonical JSON (RFC 8785) in a compact JWS, a leaf of its
 * site's log. It holds no personal data and no literal of a question. `subjectOf` is an HMAC under the key of the
 * person it is about, so that only that person's own record can find it.
 */
export const receiptSchema = z.strictObject({
  kind: z.enum(RECEIPT_KINDS),
  /** Who signed: a site, or the network for what it declines itself. */
  site: nameSchema,
  /** Position in the log, from 0. */
  sequence: z.int().min(0),
  time: instantSchema,
  subjectOf: digestSchema.optional(),
  ask: digestSchema.optional(),
  askId: z.string().optional(),
  acquirer: nameSchema.optional(),
  purpose: z.string().optional(),
  mode: z.string().optional(),
  dataSet: z.string().optional(),
  policy: digestSchema.optional(),
  /**
   * The text that people were told of the data when they allowed its use, by its digest (`consent-text.ts`): of a grant or a
   * refusal the one that was shown, of a use the one that stood of each data set, the one asked for first (GDPR Art. 7(1)).
   */
  noticeVersions: z.array(digestSchema).optional(),
  evidence: digestSchema.optional(),
  lineage: digestSchema.optional(),
  /** As the asker named it, and the records at the site that it rests on, by id. */
  legalBasis: z.string().optional(),
  bases: z.array(z.string()).optional(),
  reason: reasonCodeSchema.optional(),
  /** Counts in steps only. */
  peopleStep: z.int().min(0).optional(),
  rowsStep: z.int().min(0).optional(),
  /** In receipts of releases that were issued before these told steps only. */
  rows: z.int().min(0).optional(),
  /** Of mode `private`: what the answer cost. */
  epsilon: z.number().optional(),
  batch: z.string().optional(),
  price: moneySchema.optional(),
  release: digestSchema.optional(),
  /** Which erasure, by the digest of its id (receipts of before have the id), and how thoroughly it is done. */
  erasure: z.string().optional(),
  grade: z.enum(ERASURE_GRADES).optional(),
  /** Which restriction, and what became of it: begun, or its end told. */
  restriction: z.string().optional(),
  lifts: instantSchema.optional(),
  correction: z.string().optional(),
  /** Which guardianship was established or ended, or was agreed under. */
  guardianship: z.string().optional(),
  /** Of retention: columns of which category were emptied; absent: whole rows were deleted. */
  category: z.string().optional(),
  /** The same where rows end by a date of their own: those of this day and later ones stay. */
  keptFrom: z.iso.date().optional(),
  /** Which notice to a recipient of rows, and what it did with it. */
  notice: z.string().optional(),
  outcome: z.enum(ACKNOWLEDGED_OUTCOMES).optional(),
  /** Which key of the site was replaced. */
  rotated: z.enum(['master']).optional(),
  /** Which backup was made or restored, and how many receipts it holds. */
  backup: z.string().optional(),
  logSize: z.int().min(0).optional(),
  /** Of a restore: how many receipts are known of (those after the backup are kept, what they did is not), and how many more a checkpoint tells of. */
  logKnown: z.int().min(0).optional(),
  logMissing: z.int().min(0).optional(),
})
export type Receipt = z.infer<typeof receiptSchema>

/** A receipt before it has its place in the log; the log gives signer, sequence and time. */
export type ReceiptDraft = Omit<z.input<typeof receiptSchema>, 'site' | 'sequence' | 'time'>
