import { z } from '@hono/zod-openapi'
import { digestOf } from '../../kernel/digest.ts'
import type { Digest } from '../../kernel/digest.ts'
import { ACKNOWLEDGED_OUTCOMES, NOTICE_STATES, noticeIdSchema } from './recipient-notice.ts'
import { instantSchema, memberIdSchema, siteIdSchema } from '../wire.ts'

/**
 * How thoroughly a store has erased somebody, weakest first: `inaccessible` (the bytes are there and nobody can read
 * them), `deleted` (no query, function, export or operator finds it), `permanent` (no file of the store holds it).
 */
export const ERASURE_GRADES = ['inaccessible', 'deleted', 'permanent'] as const
export type ErasureGrade = (typeof ERASURE_GRADES)[number]

/** Why somebody is erased (GDPR Art. 17(1)): asked for, or one of the grounds (a) to (f). */
export const ERASURE_REASONS = [
  'request',
  'no_longer_needed',
  'consent_withdrawn',
  'objection',
  'unlawful',
  'legal_obligation',
  'child_service',
] as const
export type ErasureReason = (typeof ERASURE_REASONS)[number]

/** The same, and what the site does by itself: everything that it kept of somebody had reached its end (Art. 5(1)(e)). */
export const ERASURE_CAUSES = [...ERASURE_REASONS, 'retention'] as const
export type ErasureCause = (typeof ERASURE_CAUSES)[number]

export const erasureIdSchema = z
  .string('expected the id of an erasure')
  .regex(/^erasure_[0-9A-HJKMNP-TV-Z]{26}$/, 'expected "erasure_" and 26 characters of Crockford base 32')

/** An erasure as receipts name it: anybody reads the log, and whoever signs in and has the id reads the certificate. */
export function erasureInReceipts(erasure: string): Digest {
  return digestOf(erasure)
}

/** What an erasure is at: noted and unreadable already, deleted, or in no file any more. */
export const ERASURE_STATES = ['begun', 'deleted', 'permanent'] as const
export type ErasureState = (typeof ERASURE_STATES)[number]

/** One store of the site with the grade it has reached. */
export const erasedStoreSchema = z.strictObject({
  store: z.string(),
  grade: z.enum(ERASURE_GRADES),
  /** What was done, and what may hold the grade back. */
  note: z.string(),
})
export type ErasedStore = z.infer<typeof erasedStoreSchema>

/** A recipient of rows on a certificate: one line for each purpose and data set, under which it knew the person. */
const erasureRecipientSchema = z.strictObject({
  acquirer: memberIdSchema,
  notice: noticeIdSchema,
  purpose: z.string(),
  dataSet: z.string(),
  state: z.enum(NOTICE_STATES),
  dueAt: instantSchema,
  sentAt: instantSchema.optional(),
  deliveredAt: instantSchema.optional(),
  acknowledgedAt: instantSchema.optional(),
  outcome: z.enum(ACKNOWLEDGED_OUTCOMES).optional(),
  ground: z.string().optional(),
  receipts: z.array(z.int().min(0)),
})

/** The certificate of an erasure: nothing in it says who was erased. */
export const erasureViewSchema = z
  .strictObject({
    erasure: erasureIdSchema,
    site: siteIdSchema,
    issuer: memberIdSchema,
    state: z.enum(ERASURE_STATES),
    /** The weakest grade of the site's own stores; sealed releases at the network are a store of their own in the list. */
    grade: z.enum(ERASURE_GRADES),
    reason: z.enum(ERASURE_CAUSES),
    /** `operator`, `issuer:NAME`, `person`, or `site` where retention had ended. */
    requestedBy: z.string(),
    requestedAt: instantSchema,
    /** How many people it is of, where retention ended of many at once; absent: one. */
    people: z.int().min(1).optional(),
    deletedAt: instantSchema.optional(),
    /** By when it will be in no file of the site. */
    permanentBy: instantSchema,
    permanentAt: instantSchema.optional(),
    stores: z.array(erasedStoreSchema),
    /** Who was given rows of the person, by name, and what they said to the notice of the erasure (GDPR Art. 17(2), 19). */
    recipients: z.array(erasureRecipientSchema),
    /** What stays, because law or other people's protection wants it, and why it leads to nobody. */
    kept: z.array(z.strictObject({ what: z.string(), why: z.string() })),
    /** Sequences of the receipts in the site's log, one for each grade. */
    receipts: z.array(z.int().min(0)),
  })
  .openapi('Erasure')
export type ErasureView = z.input<typeof erasureViewSchema>
