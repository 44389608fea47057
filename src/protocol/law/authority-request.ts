import { z } from '@hono/zod-openapi'
import { countrySchema, dataSetIdSchema, digestSchema, instantSchema, memberIdSchema } from '../wire.ts'

const textSchema = (what: string, charactersMax = 500) =>
  z.string(`expected ${what}`).trim().min(1, `expected ${what}`).max(charactersMax)

/**
 * What an authority or a court of a third country wants of data that is kept here (GDPR Art. 48; Data Governance Act, Art. 31, 12(j); Data Act,
 * Art. 32). It says which data, not about whom: no name of a person stands in it.
 */
export const authorityRequestSchema = z
  .strictObject({
    authority: textSchema('the name of the authority', 200),
    country: countrySchema,
    /** Its file number. */
    reference: textSchema('the file number of the authority', 200),
    receivedAt: instantSchema,
    /** The day by which the authority wants an answer. */
    answerBy: z.iso.date('expected a date such as 2026-01-31').optional(),
    /** What it rests on in the law of that country. */
    instrument: textSchema('what the request rests on'),
    /** Which data it wants. */
    asksFor: textSchema('which data it wants', 1_000),
    dataSets: z
      .union(
        [z.literal('all'), z.array(dataSetIdSchema).min(1).max(100)],
        'expected "all" or a list of data sets',
      )
      .default('all'),
    /** Rows, grants and histories are personal data; offers, tariffs and numbers of asks are not. */
    isPersonalData: z.boolean().default(true),
    /** Law enforcement that would be frustrated if the holder of the data knew (Data Governance Act, Art. 31(5)): not told until then. */
    secrecy: z
      .strictObject({ ground: textSchema('why the holder may not know'), until: instantSchema })
      .optional(),
  })
  .openapi('AuthorityRequest')
export type AuthorityRequest = z.output<typeof authorityRequestSchema>

/** What a judgment of a third country that no agreement carries must be, to be answered as to data that is not personal (Data Governance Act, Art. 31(3); Data Act, Art. 32(3)). */
const conditionsSchema = z.strictObject({
  /** It states reasons and is proportionate, and specific as to persons or infringements. */
  isReasonedAndSpecific: z.literal(true, 'expected true, or no answer may be given'),
  /** A court there reviews the objection of whoever is addressed. */
  isReviewable: z.literal(true, 'expected true, or no answer may be given'),
  /** That court may take the interests that Union law protects into account. */
  weighsInterests: z.literal(true, 'expected true, or no answer may be given'),
  checkedBy: textSchema('who has checked that', 200),
})

export const authorityDecisionSchema = z
  .discriminatedUnion('decision', [
    z.strictObject({
      decision: z.literal('refused'),
      /** Under which law, and why. */
      ground: textSchema('the ground of the refusal', 1_000),
    }),
    z.strictObject({
      decision: z.literal('given'),
      /** The international agreement in force, such as a treaty on mutual legal assistance. */
      agreement: textSchema('the agreement', 200).optional(),
      /** Of personal data: the ground of GDPR Chapter V that carries the transfer besides. */
      transferGround: textSchema('the ground of the transfer', 200).optional(),
      conditions: conditionsSchema.optional(),
      /** What was given, and why it is the least that answers the request (Art. 31(4)). */
      given: textSchema('what was given', 1_000),
      least: textSchema('why it is the least', 1_000),
      documentDigest: digestSchema.optional(),
    }),
  ])
  .openapi('AuthorityDecision')
export type AuthorityDecision = z.output<typeof authorityDecisionSchema>

/** `overdue`: the day that the authority set has passed without a decision. */
const AUTHORITY_STATES = ['open', 'overdue', 'refused', 'given'] as const

export const authorityRequestViewSchema = z
  .strictObject({
    request: z.string(),
    ...authorityRequestSchema.shape,
    recordedAt: instantSchema,
    state: z.enum(AUTHORITY_STATES),
    decision: authorityDecisionSchema.optional(),
    decidedAt: instantSchema.optional(),
    /** Holders of the data, and since when each sees this; absent while it may not. */
    holders: z.array(z.strictObject({ issuer: memberIdSchema, seesSince: instantSchema.optional() })),
  })
  .openapi('AuthorityRequestView')
export type AuthorityRequestView = z.input<typeof authorityRequestViewSchema>

/** What of a decision the law does not allow; nothing when it may be taken. */
export function decisionProblems(
  { isPersonalData }: Pick<AuthorityRequest, 'isPersonalData'>,
  decision: AuthorityDecision,
): { readonly field: string; readonly expected: string }[] {
  if (decision.decision === 'refused') return []
  const { agreement, transferGround, conditions } = decision
  if (!isPersonalData)
    return agreement === undefined && conditions === undefined
      ? [
          {
            field: 'agreement',
            expected:
              'expected an international agreement, or the conditions of Art. 31(3) of the Data Governance Act',
          },
        ]
      : []
  return [
    ...(agreement === undefined
      ? [{ field: 'agreement', expected: 'expected the international agreement in force (GDPR Art. 48)' }]
      : []),
    ...(transferGround === undefined
      ? [{ field: 'transferGround', expected: 'expected the ground of the transfer (GDPR Chapter V)' }]
      : []),
  ]
}
