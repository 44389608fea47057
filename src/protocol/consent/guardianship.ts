import { z } from '@hono/zod-openapi'
import { digestSchema, instantSchema, memberIdSchema } from '../wire.ts'

/**
 * How a holder of parental responsibility may decide: `sole`, alone; `joint`, only together with every other who may
 * speak for the child. Where one of several is `joint`, all have to agree: the stricter wins.
 */
export const GUARDIAN_AUTHORITIES = ['sole', 'joint'] as const
export type GuardianAuthority = (typeof GUARDIAN_AUTHORITIES)[number]

/** Where a guardianship stands. Only `in_force` gives any power; `of_age`: the child decides for itself now. */
export const GUARDIANSHIP_STATES = ['in_force', 'of_age', 'over', 'ended'] as const
export type GuardianshipState = (typeof GUARDIANSHIP_STATES)[number]

export const guardianshipIdSchema = z
  .string('expected the id of a guardianship')
  .regex(/^gsh_[0-9A-HJKMNP-TV-Z]{26}$/, 'expected the id of a guardianship: gsh_…')

/** The key by which an issuer knows a person: what is in the claim of their token. */
const personKeySchema = z
  .string('expected the key of a person')
  .min(1, 'expected the key of a person')
  .max(200, 'expected at most 200 characters')

/** That somebody is the guardian of a child, as the issuer has established it. */
export const establishGuardianshipSchema = z
  .strictObject({
    guardian: personKeySchema,
    authority: z.enum(GUARDIAN_AUTHORITIES, `expected one of ${GUARDIAN_AUTHORITIES.join(', ')}`),
    /** Since when; absent: now. It may not lie ahead. */
    from: instantSchema.optional(),
    /** Until when; absent: until it is ended, or the child comes of age. */
    until: instantSchema.optional(),
    /** Digest of the reference of the document that was seen (a birth certificate, a court's order). */
    document: digestSchema,
  })
  .openapi('EstablishGuardianship')
export type EstablishGuardianship = z.input<typeof establishGuardianshipSchema>

/** One guardianship, for the child, the guardian and who established it. */
export const guardianshipViewSchema = z
  .strictObject({
    guardianship: guardianshipIdSchema,
    issuer: memberIdSchema,
    /** The key by which the issuer knows the child. */
    person: z.string(),
    /** The same of the guardian; absent once the guardian was erased. */
    guardian: z.string().optional(),
    authority: z.enum(GUARDIAN_AUTHORITIES),
    state: z.enum(GUARDIANSHIP_STATES),
    from: instantSchema,
    until: instantSchema.optional(),
    document: digestSchema,
    establishedAt: instantSchema,
    establishedBy: z.string(),
    endedAt: instantSchema.optional(),
    endedBy: z.string().optional(),
    /** Sequences of its receipts in the site's log. */
    receipts: z.array(z.int().min(0)),
  })
  .openapi('Guardianship')
export type GuardianshipView = z.input<typeof guardianshipViewSchema>
