import { z } from 'zod'
import { AGE_EVIDENCE_KINDS, ASSURANCES } from '../law/age-evidence.ts'
import { BASIS_KINDS, basisNamedSchema } from '../law/basis-record.ts'
import { contractNamedSchema } from '../law/processing-contract.ts'
import { manifestSchema } from '../data-set.ts'
import { GRANT_STATES, grantTermsSchema } from '../consent/grant.ts'
import { GUARDIANSHIP_STATES, GUARDIAN_AUTHORITIES } from '../consent/guardianship.ts'
import { currencySchema, digestSchema } from '../wire.ts'

/**
 * What a person gets when they ask for their data (GDPR Art. 15 and 20): JSON Lines, one record a line, each with its
 * `kind`. The first line is the `export` itself. Every other line names the site where it came to be, so that what was
 * carried from one site to another stays what it was.
 */
export const PERSON_EXPORT_FORMAT = 'hedgerow-person-export/1'

/** A time on the wire, left as it is: an export is data to keep, not a message to act on. */
const timeSchema = z.string().regex(/^\d{4}-\d{2}-\d{2}T/, 'expected an RFC 3339 time')
const siteSchema = z.string().min(1)
const receiptNumberSchema = z.int().min(0)
/** Minor units. */
const amountSchema = z.strictObject({ amount: z.int().min(0), currency: currencySchema })

/** A value of a row; whole numbers beyond 2^53 are texts. */
export const exportValueSchema = z.union([z.string(), z.number(), z.boolean(), z.null()])
export type ExportValue = z.infer<typeof exportValueSchema>

/** The first line: who made it, when, for whom. */
const exportHeadSchema = z.strictObject({
  kind: z.literal('export'),
  format: z.literal(PERSON_EXPORT_FORMAT),
  site: siteSchema,
  custodian: z.string(),
  /** Where the data is, ISO 3166-1 alpha-2. */
  territory: z.string(),
  madeAt: timeSchema,
  /** Who asked for it: `person`, `guardian`, `issuer:NAME` or `operator`. */
  madeFor: z.string(),
  /** What the custodian and the issuers call themselves, by their ids. */
  names: z.record(z.string(), z.string()).optional(),
  /** The receipt of this export in the log of the site. */
  receipt: receiptNumberSchema,
})

/** A data set that holds something about the person, with all its terms: source, purposes, retention, places, price. */
const exportDataSetSchema = z.strictObject({
  kind: z.literal('dataSet'),
  site: siteSchema,
  dataSet: z.string(),
  manifest: manifestSchema,
  describedAt: timeSchema,
  /** When the retention ends. */
  keptUntil: timeSchema,
  /** Who keeps it for its issuer, and under which contract that is in force (GDPR Art. 28, 26). */
  processing: contractNamedSchema.extend({ processor: z.string() }).optional(),
})

/** The key by which an issuer knows the person. */
const exportIdentitySchema = z.strictObject({
  kind: z.literal('identity'),
  site: siteSchema,
  issuer: z.string(),
  dataSet: z.string(),
  key: z.string(),
})

/** What the site has derived for the rules of age. */
const exportPrincipalSchema = z.strictObject({
  kind: z.literal('principal'),
  site: siteSchema,
  issuer: z.string(),
  birthDate: z.string().optional(),
  residence: z.string().optional(),
  /** Whose grant counts on the day of the export, by the data set's own day for ages where it names one. */
  grantsCountOf: z.enum(['self', 'guardian', 'joint']),
})

/** One stored row, decrypted. */
const exportRowSchema = z.strictObject({
  kind: z.literal('row'),
  dataSet: z.string(),
  values: z.record(z.string(), exportValueSchema),
  /** How many other people the row is about; what says who they are is left out (GDPR Art. 15(4), 20(4)). */
  alsoAbout: z.int().min(1).optional(),
})

/** A grant with its whole life. */
const exportGrantSchema = z.strictObject({
  kind: z.literal('grant'),
  site: siteSchema,
  grant: z.string(),
  ...grantTermsSchema.shape,
  validFrom: timeSchema,
  validUntil: timeSchema.optional(),
  givenAt: timeSchema,
  /** Who entered it: `person`, `guardian:ID` (of the guardianship), `issuer:NAME`. */
  enteredBy: z.string(),
  /** Of a guardian's grant: the guardianship it stands on. */
  guardianship: z.string().optional(),
  receipt: receiptNumberSchema,
  revokedAt: timeSchema.optional(),
  revokedBy: z.string().optional(),
  revocationReceipt: receiptNumberSchema.optional(),
  /** Where it stood on the day of the export. */
  state: z.enum(GRANT_STATES).optional(),
})

/** A grant that was asked for and refused. */
const exportRefusalSchema = z.strictObject({
  kind: z.literal('refusal'),
  site: siteSchema,
  ...grantTermsSchema.shape,
  refusedAt: timeSchema,
  enteredBy: z.string(),
  receipt: receiptNumberSchema,
})

/** An objection to a purpose. */
const exportObjectionSchema = z.strictObject({
  kind: z.literal('objection'),
  site: siteSchema,
  issuer: z.string(),
  purpose: z.string(),
  dataSet: z.string().optional(),
  madeAt: timeSchema,
  enteredBy: z.string(),
  receipt: receiptNumberSchema,
  withdrawnAt: timeSchema.optional(),
})

/** What a legal basis other than consent rests on, that covers the person. */
const exportBasisSchema = z.strictObject({
  kind: z.literal('basis'),
  site: siteSchema,
  basis: z.string(),
  basisKind: z.enum(BASIS_KINDS),
  reference: z.string(),
  dataSets: z.array(z.string()),
  purposes: z.array(z.string()),
  validFrom: timeSchema,
  validUntil: timeSchema,
  recordedAt: timeSchema,
  recordedBy: z.string(),
})

/** A request under the GDPR with all that happened to it. */
const exportRequestSchema = z.strictObject({
  kind: z.literal('request'),
  site: siteSchema,
  request: z.string(),
  issuer: z.string(),
  right: z.string(),
  receivedAt: timeSchema,
  state: z.string(),
  dueOn: z.string(),
  events: z.array(
    z.strictObject({
      event: z.string(),
      at: timeSchema,
      by: z.string(),
      ground: z.string().optional(),
      said: z.string().optional(),
      receipt: receiptNumberSchema,
    }),
  ),
})

/** Who may speak, or could, for the person. */
const exportGuardianshipSchema = z.strictObject({
  kind: z.literal('guardianship'),
  site: siteSchema,
  guardianship: z.string(),
  issuer: z.string(),
  /** The key by which the issuer knows the guardian; absent once the guardian was erased. */
  guardian: z.string().optional(),
  authority: z.enum(GUARDIAN_AUTHORITIES),
  state: z.enum(GUARDIANSHIP_STATES),
  from: timeSchema,
  until: timeSchema.optional(),
  document: digestSchema,
  establishedAt: timeSchema,
  establishedBy: z.string(),
  endedAt: timeSchema.optional(),
  endedBy: z.string().optional(),
  receipts: z.array(receiptNumberSchema),
})

/** Evidence of the person's age. */
const exportAgeEvidenceSchema = z.strictObject({
  kind: z.literal('ageEvidence'),
  site: siteSchema,
  issuer: z.string(),
  evidence: z.string(),
  evidenceKind: z.enum(AGE_EVIDENCE_KINDS),
  assurance: z.enum(ASSURANCES),
  atLeast: z.int().optional(),
  below: z.int().optional(),
  document: digestSchema.optional(),
  givenAt: timeSchema,
  givenBy: z.string(),
  expires: timeSchema,
  endedAt: timeSchema.optional(),
  receipt: receiptNumberSchema,
})

/** A move to another country, as it was told. */
const exportMoveSchema = z.strictObject({
  kind: z.literal('move'),
  site: siteSchema,
  issuer: z.string(),
  country: z.string(),
  fromDay: z.string(),
  isConfirmed: z.boolean(),
  toldAt: timeSchema,
  toldBy: z.string(),
  receipt: receiptNumberSchema,
})

/** What was disclosed, or computed with: to whom by name, why, when, from what question, for what money. */
const exportUseSchema = z.strictObject({
  kind: z.literal('use'),
  site: siteSchema,
  time: timeSchema,
  acquirer: z.string(),
  /** What the acquirer calls itself. */
  acquirerName: z.string().optional(),
  purpose: z.string(),
  mode: z.string(),
  dataSet: z.string(),
  columns: z.array(z.string()),
  reason: z.string(),
  legalBasis: z.string().optional(),
  /** What the basis rests on, where that is not the person's own grant. */
  bases: z.array(basisNamedSchema).optional(),
  /** The text that stood of each data set of the question, the one asked for first. */
  noticeVersions: z.array(digestSchema).optional(),
  /** The country in which the result is used. */
  releaseTo: z.string(),
  ask: digestSchema,
  /** Digest of the question as the site understood it; the same for equal questions. */
  question: digestSchema.optional(),
  /** The name under which the acquirer sees the person, where rows were released. */
  pseudonym: z.string().optional(),
  earned: amountSchema.optional(),
  receipt: receiptNumberSchema,
})

/** Somebody looked at the person's data by name, the person included. */
const exportAccessSchema = z.strictObject({
  kind: z.literal('access'),
  site: siteSchema,
  time: timeSchema,
  by: z.string(),
  what: z.string(),
  reason: z.string().optional(),
  receipt: receiptNumberSchema,
})

/** Records of a person's life at a site that another site can carry on as they are. */
const CARRIED = [
  exportGuardianshipSchema,
  exportAgeEvidenceSchema,
  exportMoveSchema,
  exportGrantSchema,
  exportRefusalSchema,
  exportObjectionSchema,
  exportBasisSchema,
  exportRequestSchema,
  exportUseSchema,
  exportAccessSchema,
] as const
export const carriedRecordSchema = z.discriminatedUnion('kind', CARRIED)
export type CarriedRecord = z.input<typeof carriedRecordSchema>
/** Their kinds. */
export const CARRIED_KINDS: readonly CarriedRecord['kind'][] = CARRIED.map(({ shape }) => shape.kind.value)

/** One line of an export. */
export const exportRecordSchema = z.discriminatedUnion('kind', [
  exportHeadSchema,
  exportDataSetSchema,
  exportIdentitySchema,
  exportPrincipalSchema,
  exportRowSchema,
  ...CARRIED,
])
/** A line as it is written. */
export type ExportRecord = z.input<typeof exportRecordSchema>
export type ExportKind = ExportRecord['kind']

/** The JSON Schema of one line (draft 2020-12), as it is published. */
export function personExportJsonSchema(): unknown {
  return {
    ...z.toJSONSchema(exportRecordSchema, { io: 'input', unrepresentable: 'any' }),
    title: 'A line of the export of a person',
    description: `Format ${PERSON_EXPORT_FORMAT}: JSON Lines, one record a line; the first is of kind "export".`,
  }
}
