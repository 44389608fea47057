import { z } from '@hono/zod-openapi'
import {
  askIdSchema,
  dataSetIdSchema,
  instantSchema,
  isOneLine,
  memberIdSchema,
  moneySchema,
  siteIdSchema,
} from '../wire.ts'
import { contactInText } from '../words/contact-in-text.ts'

/** What the acquirer of an ask says is wrong with what it paid for. */
const ACQUIRER_REASONS = ['not_delivered', 'not_as_decided', 'wrong_price', 'charged_twice'] as const
/** What the issuer or the custodian says was done with what was released. */
const PROVIDER_REASONS = ['other_purpose', 'passed_on', 'kept_too_long'] as const

/**
 * Why a trade is disputed, by whose side it is to say. Codes are stable and never reused. What an acquirer claims is money; what a provider
 * claims is that the released data is deleted.
 */
export const DISPUTE_REASONS = { acquirer: ACQUIRER_REASONS, provider: PROVIDER_REASONS } as const
export type DisputeSide = keyof typeof DISPUTE_REASONS
export type DisputeReason = (typeof ACQUIRER_REASONS)[number] | (typeof PROVIDER_REASONS)[number]

/** A text of one of the parties. It names no person: no network holds personal data. */
const textSchema = (what: string) =>
  z
    .string(`expected ${what}`)
    .trim()
    .min(3, `expected ${what}, in 3 to 1000 characters`)
    // Nothing is looked for in a longer one: it would take as much time as its length by its length.
    .max(1_000, { error: `expected ${what}, in 3 to 1000 characters`, abort: true })
    // One line, however it was typed: a text with breaks could be read as what others said of it.
    .overwrite((text) => text.replaceAll(/\s+/g, ' '))
    .refine(isOneLine, `expected ${what} without control characters or turned writing`)
    .superRefine((text, context) => {
      const found = contactInText(text)
      const message = `expected ${what} without ${found}: a network keeps nothing about people`
      if (found) context.addIssue({ code: 'custom', message })
    })

export const disputeRequestSchema = z
  .strictObject({
    ask: askIdSchema,
    site: siteIdSchema,
    reason: z.enum(
      [...ACQUIRER_REASONS, ...PROVIDER_REASONS],
      `expected one of ${[...ACQUIRER_REASONS, ...PROVIDER_REASONS].join(', ')}`,
    ),
    /** How much is claimed back, of what was captured; an acquirer's alone. Absent: all of it. */
    claim: moneySchema.optional(),
    statement: textSchema('what happened'),
  })
  .openapi('DisputeRequest')
export type DisputeRequest = z.output<typeof disputeRequestSchema>

/** What one of the other side says, once. */
export const disputeAnswerSchema = z
  .strictObject({
    answer: z.enum(['accepted', 'contested'], 'expected "accepted" or "contested"'),
    text: textSchema('an answer'),
  })
  .openapi('DisputeAnswer')
export type DisputeAnswer = z.output<typeof disputeAnswerSchema>

/** What the operator of the network decides, once: nothing, or money back, or that what was released is deleted, or both. */
export const disputeOutcomeSchema = z
  .discriminatedUnion('outcome', [
    z.strictObject({ outcome: z.literal('rejected'), ground: textSchema('a ground') }),
    z.strictObject({
      outcome: z.literal('upheld'),
      ground: textSchema('a ground'),
      /** At most what is claimed. Absent: all of it. */
      credit: moneySchema.optional(),
      /** Whether the acquirer has to delete what was released; the network deletes what it keeps of it at once. */
      deletion: z.boolean().default(false),
    }),
  ])
  .openapi('DisputeOutcome')
export type DisputeOutcome = z.output<typeof disputeOutcomeSchema>

export const DISPUTE_STATES = ['open', 'accepted', 'contested', 'withdrawn', 'rejected', 'upheld'] as const
export type DisputeState = (typeof DISPUTE_STATES)[number]

export const disputeSchema = z
  .strictObject({
    dispute: z.string(),
    ask: askIdSchema,
    site: siteIdSchema,
    dataSet: dataSetIdSchema,
    acquirer: memberIdSchema,
    issuer: memberIdSchema,
    issuerProcessor: memberIdSchema.optional(),
    custodian: memberIdSchema,
    raisedBy: memberIdSchema,
    raisedAt: instantSchema,
    reason: disputeRequestSchema.shape.reason,
    /** This and the other texts are absent once they were removed, or their time is over. */
    statement: z.string().optional(),
    claim: moneySchema.optional(),
    /** Until then the other side may answer; from then on it can be decided without. */
    answerBy: instantSchema,
    /** `accepted` and `contested` once everybody of the other side has answered: `contested` if anybody does. */
    state: z.enum(DISPUTE_STATES),
    /** Who has something to do: members that may answer or have to delete, or `operator`, who decides. */
    waitsFor: z.array(z.string()),
    answers: z.array(
      z.strictObject({
        by: memberIdSchema,
        at: instantSchema,
        answer: disputeAnswerSchema.shape.answer,
        text: z.string().optional(),
      }),
    ),
    outcome: z
      .strictObject({
        at: instantSchema,
        ground: z.string().optional(),
        credit: moneySchema.optional(),
        /** `due` until the acquirer has said that it deleted what was released. */
        deletion: z.enum(['none', 'due', 'done']),
        deletedAt: instantSchema.optional(),
      })
      .optional(),
  })
  .openapi('Dispute')
export type Dispute = z.infer<typeof disputeSchema>
export type DisputeMessage = z.input<typeof disputeSchema>
