import { z } from '@hono/zod-openapi'
import { modeSchema } from './mode.ts'
import { knownAreaSchema, knownCountrySchema } from './law/countries.ts'
import { releaseToSchema } from './law/perimeter.ts'
import {
  askIdSchema,
  compactJweSchema,
  dataSetIdSchema,
  digestSchema,
  instantSchema,
  memberIdSchema,
  moneySchema,
  nameSchema,
  purposeSchema,
  siteIdSchema,
} from './wire.ts'

/** What is sealed to the sites: the network never reads it. */
export const questionSchema = z.union(
  [
    z.strictObject({
      sql: z.string('expected SQL'),
      parameters: z
        .array(z.union([z.string(), z.number(), z.boolean(), z.null()]))
        .max(100)
        .default([]),
    }),
    z.strictObject({ function: digestSchema, parameters: z.record(z.string(), z.unknown()).default({}) }),
  ],
  'expected {"sql": …, "parameters": […]} or {"function": …, "parameters": {…}}',
)
export type Question = z.infer<typeof questionSchema>

export const EPSILON_DEFAULT = 0.1
const EPSILON_EXPECTED = 'expected a number from 0.01 to 1'

/** How much an answer of mode `private` may tell of one person, and how much of one person it takes up. */
export const privacySchema = z.strictObject({
  /** Of differential privacy, for this answer alone. The smaller, the more noise and the less of the budget. */
  epsilon: z.number(EPSILON_EXPECTED).min(0.01, EPSILON_EXPECTED).max(1, EPSILON_EXPECTED),
  /** Absent: whichever has the smaller spread. Gaussian noise is wider for few figures, but uses up far less of the budget. */
  noise: z.enum(['laplace', 'gaussian'], 'expected laplace or gaussian').optional(),
  /** Most rows of one person that count in one group; whoever has more counts as that many of their own average. */
  rowsPerPerson: z.int('expected a whole number').min(1, 'expected 1 or more').optional(),
  /** Most groups that one person counts in; in which of them is chosen by a keyed hash. */
  groupsPerPerson: z.int('expected a whole number').min(1, 'expected 1 or more').optional(),
})
export type PrivacyRequest = z.infer<typeof privacySchema>

/**
 * A signed request to compute over data in a perimeter. Everything here is in the clear for the network to route and
 * charge by; the question itself is sealed to each site, and `question.digest` is the digest of its canonical JSON
 * together with a random salt that stands inside the sealed text, so that a guess cannot be checked against it.
 */
export const askSchema = z
  .strictObject({
    id: askIdSchema,
    acquirer: memberIdSchema,
    purpose: purposeSchema,
    legalBasis: z
      .string('expected a legal basis')
      .regex(/^eu-gdpr:A[0-9a-z-]+$/, 'expected a term such as eu-gdpr:A6-1-a'),
    mode: modeSchema,
    /** The data set asked for first; the question may join others of the same site. */
    offer: dataSetIdSchema,
    sites: z.union(
      [z.tuple([z.literal('any')]), z.array(siteIdSchema).min(1).max(100)],
      'expected ["any"] or names of sites',
    ),
    /** Only sites in these places are asked. */
    within: z.array(knownAreaSchema).min(1).optional(),
    releaseTo: releaseToSchema.extend({ jurisdiction: knownCountrySchema }),
    question: z.strictObject({ digest: digestSchema, sealed: z.record(nameSchema, compactJweSchema) }),
    maxPrice: moneySchema,
    expires: instantSchema,
    idempotencyKey: z
      .string('expected an idempotency key')
      .min(8, 'expected 8 to 100 characters')
      .max(100, 'expected 8 to 100 characters'),
    /** What would happen and cost; holds nothing, releases nothing. */
    dryRun: z.boolean().default(false),
    /** For the mode `private` only; absent: epsilon 0.1. */
    privacy: privacySchema.optional(),
  })
  .refine(({ mode, privacy }) => privacy === undefined || mode === 'private', {
    message: 'expected only in mode private',
    path: ['privacy'],
  })
export type Ask = z.infer<typeof askSchema>

/** The sealed text: the question and the salt of its digest. */
export const sealedQuestionSchema = z.strictObject({
  question: questionSchema,
  salt: z.string().min(16).max(100),
})
export type SealedQuestion = z.infer<typeof sealedQuestionSchema>

/** Its form is looked at where it is taken apart, byte for byte: a batch has a hundred and more kilobytes. */
const signedTextSchema = z
  .string('expected a compact JWS')
  .openapi({ pattern: '^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$' })

/** The body of `POST /v1/asks`: one signed ask, or a processor's signed batch (`{"asks": […]}` in one JWS). */
export const askSubmissionSchema = z.union([
  z.strictObject({ ask: signedTextSchema }),
  z.strictObject({ batch: signedTextSchema }),
])
export const askBatchSchema = z.strictObject({ processor: memberIdSchema, asks: z.array(z.unknown()).min(1) })
