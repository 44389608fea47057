import { z } from 'zod'
import { acquirerClassSchema } from '../member.ts'
import { modeSchema } from '../mode.ts'
import {
  columnNameSchema,
  dataSetIdSchema,
  digestSchema,
  instantSchema,
  memberIdSchema,
  purposeSchema,
} from '../wire.ts'

/** Who may ask: one member, a class of members, or anybody on the network. */
export const granteeSchema = z.union(
  [
    z.strictObject({ member: memberIdSchema }),
    z.strictObject({ class: acquirerClassSchema }),
    z.strictObject({ anyone: z.literal(true) }),
  ],
  'expected {"member": …}, {"class": …} or {"anyone": true}',
)

/** Who gave it: the person, or the person's guardian. Bases other than consent come with the manifest. */
export const givenBySchema = z.enum(['self', 'guardian'], 'expected "self" or "guardian"')

/** What one person allows: the terms apart from whom they are about. */
export const grantTermsSchema = z.strictObject({
  dataSet: dataSetIdSchema,
  grantee: granteeSchema,
  purposes: z.array(purposeSchema).min(1, 'expected at least one purpose'),
  modes: z.array(modeSchema).min(1, 'expected at least one mode'),
  /** Columns that may be used; absent: every column of the data set. */
  columns: z.array(columnNameSchema).min(1).optional(),
  /** Special categories need a grant that names them in so many words (GDPR Art. 9(2)(a)). */
  isExplicit: z.boolean().default(false),
  givenBy: givenBySchema.default('self'),
  /** Least the subjects' side must earn for each person and run, in minor units of the tariff's currency. */
  minimumPriceMinor: z.int().min(0).default(0),
  /** Digest of the text that the person was shown (`consent-text.ts`); absent in a request: the text as it stands. */
  notice: digestSchema.optional(),
})
export type GrantTerms = z.infer<typeof grantTermsSchema>

/** A grant as it is given: whose, what, and how long. The person is named by the key the issuer knows them by. */
export const grantRequestSchema = grantTermsSchema.extend({
  person: z.string('expected the key of a person').min(1, 'expected the key of a person').max(200),
  /** Of a guardian's grant that the issuer passes on: the key of the guardian; absent: the only one who is established. */
  guardian: z.string('expected the key of the guardian').min(1).max(200).optional(),
  validFrom: instantSchema.optional(),
  validUntil: instantSchema.optional(),
  /** It takes the place of what the person granted to the same grantee on the data set; that is then superseded. */
  replaces: z.boolean().default(false),
})
export type GrantRequest = z.infer<typeof grantRequestSchema>

/**
 * Where a grant stands in its life. Only `in_force` authorises anything. `needs_guardian`, `needs_both`, `handed_over`: for
 * the person's age, by the law of where they live, another's word counts, or another's as well, or theirs alone.
 */
export const GRANT_STATES = [
  'in_force',
  'not_yet',
  'expired',
  'withdrawn',
  'superseded',
  'guardianship_ended',
  'needs_guardian',
  'needs_both',
  'handed_over',
  'text_changed',
] as const
export type GrantState = (typeof GRANT_STATES)[number]
