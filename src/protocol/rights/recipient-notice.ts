import { z } from '@hono/zod-openapi'
import { verifyJws } from '../../kernel/crypto/jws.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import { keyIdOf } from '../../kernel/crypto/keys.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import { TYP } from '../proof/message-types.ts'
import { columnValuesSchema } from './restriction.ts'
import {
  askIdSchema,
  dataSetIdSchema,
  digestSchema,
  instantSchema,
  memberIdSchema,
  siteIdSchema,
} from '../wire.ts'

/** What a recipient of rows is told about (GDPR Art. 17(2), 19). */
export const NOTICE_KINDS = ['erasure', 'correction', 'restriction', 'restriction_lifting'] as const
export type NoticeKind = (typeof NOTICE_KINDS)[number]

/** What each kind asks of the recipient, in a word for programs. */
export const ASKED_OF = {
  erasure: 'delete',
  correction: 'correct',
  restriction: 'restrict',
  restriction_lifting: 'resume',
} as const satisfies Record<NoticeKind, string>

/** The same in a sentence. */
export const ASKED_SENTENCES: Record<NoticeKind, string> = {
  erasure: 'Delete the rows of this person, and links to them and copies of them',
  correction: 'Correct the columns that are named in the rows of this person',
  restriction: 'Store the rows of this person and do nothing else with them',
  restriction_lifting: 'From the moment that is named the rows of this person may be used again',
}

export const noticeIdSchema = z
  .string('expected the id of a notice')
  .regex(/^notice_[0-9A-HJKMNP-TV-Z]{26}$/, 'expected "notice_" and 26 characters of Crockford base 32')

/**
 * What a site tells somebody whom it gave rows of a person: signed by the site, sealed to the recipient. The person is
 * named by the pseudonym that this recipient knows for this purpose and data set, and by nothing else.
 */
export const recipientNoticeSchema = z.strictObject({
  notice: noticeIdSchema,
  site: siteIdSchema,
  acquirer: memberIdSchema,
  kind: z.enum(NOTICE_KINDS),
  asked: z.enum(['delete', 'correct', 'restrict', 'resume']),
  time: instantSchema,
  /** What the rows were asked for, which with the data set makes the pseudonym. */
  purpose: z.string(),
  dataSet: dataSetIdSchema,
  pseudonym: z.string(),
  /** The releases that hold rows of the person, newest first. */
  releases: z
    .array(z.strictObject({ ask: askIdSchema, release: digestSchema.optional() }))
    .max(LIMITS.noticeReleasesMax),
  /** Of a correction: where, which columns, and what stands there now, if the recipient may still be told. */
  correction: z
    .strictObject({
      dataSet: dataSetIdSchema,
      columns: z.array(z.string()),
      values: z.strictObject({ set: columnValuesSchema, where: columnValuesSchema }).optional(),
    })
    .optional(),
  /** Of the lifting of a restriction: when it ends. */
  lifts: instantSchema.optional(),
})
export type RecipientNotice = z.output<typeof recipientNoticeSchema>
export type WireRecipientNotice = z.input<typeof recipientNoticeSchema>

/** What a recipient did: as it was asked; it holds the rows no longer; or it keeps them on a ground of law. */
export const ACKNOWLEDGED_OUTCOMES = ['done', 'not_held', 'kept'] as const
export type AcknowledgedOutcome = (typeof ACKNOWLEDGED_OUTCOMES)[number]

/** Grounds on which rows may be kept against an erasure: GDPR Art. 17(3)(a) to (e). */
export const KEPT_GROUNDS = [
  'expression',
  'legal_obligation',
  'public_health',
  'archiving_or_research',
  'legal_claims',
] as const

/** A recipient's signed answer to a notice. No free text: it passes through the network in the clear. */
export const acknowledgementSchema = z
  .strictObject({
    notice: noticeIdSchema,
    site: siteIdSchema,
    acquirer: memberIdSchema,
    /** Of the signed notice that it answers. */
    digest: digestSchema,
    outcome: z.enum(ACKNOWLEDGED_OUTCOMES, `expected one of ${ACKNOWLEDGED_OUTCOMES.join(', ')}`),
    ground: z.enum(KEPT_GROUNDS, `expected one of ${KEPT_GROUNDS.join(', ')}`).optional(),
    time: instantSchema,
  })
  .refine(({ outcome, ground }) => (outcome === 'kept') === (ground !== undefined), {
    message: `expected one of ${KEPT_GROUNDS.join(', ')} where rows are kept, and else none`,
    path: ['ground'],
  })
export type Acknowledgement = z.output<typeof acknowledgementSchema>
export type WireAcknowledgement = z.input<typeof acknowledgementSchema>

/** Where a notice stands: in the site's outbox, with the network, fetched, answered; or not answered in time. */
export const NOTICE_STATES = ['waiting', 'sent', 'delivered', 'acknowledged', 'overdue'] as const
export type NoticeState = (typeof NOTICE_STATES)[number]

/** Payload of the order (`TYP.withdrawal`) by which a site has the network delete sealed releases. */
export const withdrawalOrderSchema = z.strictObject({
  site: siteIdSchema,
  asks: z
    .array(askIdSchema)
    .min(1, 'expected at least one ask')
    .max(LIMITS.withdrawalsPerOrderMax, `expected at most ${LIMITS.withdrawalsPerOrderMax} asks`),
  time: instantSchema,
})

/** Reads an acknowledgement signed by one of some keys; `undefined` when it is forged, of another kind or malformed. */
export function readAcknowledgement(jws: string, keys: readonly PublicJwk[]): Acknowledgement | undefined {
  return readSigned(jws, { typ: TYP.acknowledgement, keys, schema: acknowledgementSchema })
}

/** Reads a notice signed by one of some keys of its site; `undefined` when it is forged, of another kind or malformed. */
export function readRecipientNotice(jws: string, keys: readonly PublicJwk[]): RecipientNotice | undefined {
  return readSigned(jws, { typ: TYP.recipientNotice, keys, schema: recipientNoticeSchema })
}

function readSigned<S extends z.ZodType>(
  jws: string,
  { typ, keys, schema }: { typ: string; keys: readonly PublicJwk[]; schema: S },
): z.output<S> | undefined {
  const keyFor = (keyId: string) => keys.find((key) => keyIdOf(key) === keyId)
  const verified = verifyJws(jws, { typ, keyFor })
  if (!verified.ok) return undefined
  const parsed = schema.safeParse(parseJson(verified.value.payload))
  return parsed.success ? parsed.data : undefined
}
