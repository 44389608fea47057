import { z } from '@hono/zod-openapi'
import { digestSchema, instantSchema } from '../wire.ts'

/**
 * How an age is shown, and how much weight it has (the levels of Regulation (EU) 910/2014, Art. 8(2)): said by the person,
 * said by a guardian, seen in a document by the issuer, proven by a wallet. What is only said never makes anybody
 * older; it can make them younger.
 */
export const AGE_EVIDENCE_KINDS = ['declared', 'guardian', 'document', 'wallet'] as const
export type AgeEvidenceKind = (typeof AGE_EVIDENCE_KINDS)[number]

export const ASSURANCES = ['low', 'substantial', 'high'] as const
export type Assurance = (typeof ASSURANCES)[number]

/** What a kind of evidence is worth, and for how many days unless it says less. */
export const AGE_EVIDENCE: Readonly<
  Record<AgeEvidenceKind, { readonly assurance: Assurance; readonly days: number }>
> = {
  declared: { assurance: 'low', days: 365 },
  guardian: { assurance: 'low', days: 365 },
  document: { assurance: 'substantial', days: 5 * 365 },
  wallet: { assurance: 'high', days: 365 },
}

/** Whether evidence of one assurance is worth at least another. */
export function isAtLeast(assurance: Assurance, least: Assurance): boolean {
  return ASSURANCES.indexOf(assurance) >= ASSURANCES.indexOf(least)
}

/** All that is ever told of an age. */
export const AGE_BANDS = ['under_13', '13_to_15', '16_to_17', '18_or_over', 'unknown'] as const
export type AgeBand = (typeof AGE_BANDS)[number]

/** The band of an age in whole years. */
export function ageBand(age: number | undefined): AgeBand {
  if (age === undefined) return 'unknown'
  if (age < 13) return 'under_13'
  if (age < 16) return '13_to_15'
  return age < 18 ? '16_to_17' : '18_or_over'
}

export const ageEvidenceIdSchema = z
  .string('expected the id of evidence')
  .regex(/^age_[0-9A-HJKMNP-TV-Z]{26}$/, 'expected the id of evidence: age_…')

const yearsSchema = z.int('expected years').min(1, 'expected 1 to 120').max(120, 'expected 1 to 120')

/** Evidence as it is given: a least age, an age not reached yet, or both; never a birth date. */
export const giveAgeEvidenceSchema = z
  .strictObject({
    /** Whole years that the person has reached. */
    atLeast: yearsSchema.optional(),
    /** Whole years that the person has not reached. */
    below: yearsSchema.optional(),
    /** Digest of the reference of the document that the issuer saw. */
    document: digestSchema.optional(),
    /** Until when it counts, if sooner than its kind ends. */
    expires: instantSchema.optional(),
  })
  .openapi('GiveAgeEvidence')
export type GiveAgeEvidence = z.input<typeof giveAgeEvidenceSchema>

export const ageEvidenceViewSchema = z
  .strictObject({
    evidence: ageEvidenceIdSchema,
    kind: z.enum(AGE_EVIDENCE_KINDS),
    assurance: z.enum(ASSURANCES),
    atLeast: z.int().optional(),
    below: z.int().optional(),
    document: digestSchema.optional(),
    givenAt: instantSchema,
    givenBy: z.string(),
    expires: instantSchema,
    endedAt: instantSchema.optional(),
    receipt: z.int().min(0),
  })
  .openapi('AgeEvidence')
