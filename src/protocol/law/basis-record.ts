import { z } from '@hono/zod-openapi'
import { modeSchema } from '../mode.ts'
import {
  columnNameSchema,
  dataSetIdSchema,
  digestSchema,
  instantSchema,
  memberIdSchema,
  purposeSchema,
} from '../wire.ts'

/**
 * What a legal basis other than consent rests on: the contract, the law, the permit, the assessed interest, the agreement
 * with the works council. A data set that names such a basis is used only where a record of it is in force.
 */
export const BASIS_KINDS = [
  'contract',
  'legal_obligation',
  'permit',
  'legitimate_interest',
  'employment',
] as const
export type BasisKind = (typeof BASIS_KINDS)[number]

/** Keys of people in one call: one transaction, and it fits into one request. */
export const BASIS_PEOPLE_PER_CALL_MAX = 50_000

const textSchema = (what: string, charactersMax = 500) =>
  z.string(`expected ${what}`).trim().min(1, `expected ${what}`).max(charactersMax)

const keySchema = z.string('expected the key of a person').min(1).max(200)
export const basisPeopleSchema = z.array(keySchema).max(BASIS_PEOPLE_PER_CALL_MAX)

/** What every record says. */
const COMMON = {
  dataSets: z.array(dataSetIdSchema).min(1, 'expected at least one data set').max(100),
  /** A use for one of them, or for a narrower one. */
  purposes: z.array(purposeSchema).min(1, 'expected at least one purpose').max(50),
  /** Under which name the document is kept: a contract's number, the id of a permit. It stands in notices: no name of a person. */
  reference: textSchema('a reference, such as the number of the document', 200),
  documentDigest: digestSchema.optional(),
  /** Absent: from now on. */
  validFrom: instantSchema.optional(),
  /** Nothing stands on it from then on. */
  validUntil: instantSchema,
  /** Who may stand on it; absent: every acquirer. */
  acquirers: z.array(memberIdSchema).min(1).max(1_000).optional(),
  /** In which modes; absent: all that the data set is offered in. */
  modes: z.array(modeSchema).min(1).optional(),
  /** On which columns; absent: all. */
  columns: z.array(columnNameSchema).min(1).max(200).optional(),
  /** Whom it covers: everybody in the data sets, or those whose keys are listed. */
  people: z.union([z.literal('everybody'), basisPeopleSchema], 'expected "everybody" or a list of keys'),
}

/** The contract to which the people are party (GDPR Art. 6(1)(b)). */
const contractSchema = z.strictObject({ kind: z.literal('contract'), ...COMMON })

/** The obligation of the controller under the law of the Union or of a Member State (GDPR Art. 6(1)(c), (3)). */
const obligationSchema = z.strictObject({
  kind: z.literal('legal_obligation'),
  ...COMMON,
  /** Its citation, for example `HGB § 257`. */
  law: textSchema('the citation of the law'),
})

/**
 * A permit of an authority for a task in the public interest or for research on health data (GDPR Art. 6(1)(e), 9(2)(g) to
 * (j); Regulation (EU) 2025/327, Art. 68): `reference` is its id, and only its users may stand on it.
 */
const permitSchema = z.strictObject({
  kind: z.literal('permit'),
  ...COMMON,
  authority: textSchema('the authority that issued it', 200),
  /** Its users. */
  acquirers: z.array(memberIdSchema).min(1, 'expected the users of the permit').max(1_000),
  /** What it asks of them besides what stands in the other fields. */
  conditions: z.array(textSchema('a condition', 1_000)).max(50).default([]),
})

/** An interest that was weighed against those of the people (GDPR Art. 6(1)(f)). It never carries special categories. */
const interestSchema = z.strictObject({
  kind: z.literal('legitimate_interest'),
  ...COMMON,
  /** Which interest it is, for people to read (Art. 13(1)(d)). */
  interest: textSchema('the interest'),
  /** The assessment of the kind `lia` in which it prevails. */
  assessment: z.string('expected the id of an assessment').max(60),
  /** Where people object besides the site itself (Art. 21): an address. */
  objectTo: textSchema('where people object', 200),
})

/**
 * The agreement or law for processing in employment (GDPR Art. 88, 9(2)(b)), without which an employee's consent towards the
 * employer authorises nothing (recital 43; EDPB Guidelines 05/2020, 21).
 */
const employmentSchema = z.strictObject({
  kind: z.literal('employment'),
  ...COMMON,
  agreement: z.discriminatedUnion('with', [
    z.strictObject({
      with: z.literal('works_council'),
      council: textSchema('the works council', 200),
      concludedOn: z.iso.date('expected a date such as 2026-01-31'),
    }),
    z.strictObject({ with: z.literal('statute'), law: textSchema('the citation of the law') }),
  ]),
})

export const basisRequestSchema = z
  .discriminatedUnion('kind', [
    contractSchema,
    obligationSchema,
    permitSchema,
    interestSchema,
    employmentSchema,
  ])
  .openapi('BasisRequest')
export type BasisRequest = z.infer<typeof basisRequestSchema>

/** A record apart from the people that it lists, who are kept by number. */
export type BasisFacts = Distribute<BasisRequest>
type Distribute<T> = T extends unknown
  ? Omit<T, 'people'> & { readonly people: 'everybody' | 'listed' }
  : never

/** A record as it is kept, read back. */
const keptPeople = { people: z.enum(['everybody', 'listed']), validFrom: instantSchema }
export const basisFactsSchema = z.discriminatedUnion('kind', [
  contractSchema.extend(keptPeople),
  obligationSchema.extend(keptPeople),
  permitSchema.extend(keptPeople),
  interestSchema.extend(keptPeople),
  employmentSchema.extend(keptPeople),
])

/** `unassessed`: the assessment of the interest was withdrawn or is due for review. Only `in_force` carries anything. */
export const BASIS_STATES = ['in_force', 'not_yet', 'expired', 'ended', 'unassessed'] as const
export type BasisState = (typeof BASIS_STATES)[number]

const viewShape = {
  basis: z.string(),
  recordedAt: instantSchema,
  /** `operator` or `issuer:NAME`. */
  recordedBy: z.string(),
  endedAt: instantSchema.optional(),
  endReason: z.string().optional(),
  state: z.enum(BASIS_STATES),
  ...keptPeople,
  /** How many are listed. */
  listed: z.int().min(0).optional(),
}

export const basisViewSchema = z
  .discriminatedUnion('kind', [
    contractSchema.extend(viewShape),
    obligationSchema.extend(viewShape),
    permitSchema.extend(viewShape),
    interestSchema.extend(viewShape),
    employmentSchema.extend(viewShape),
  ])
  .openapi('Basis')
export type BasisView = z.input<typeof basisViewSchema>

/** A record as whoever was used on it reads it: which, of what kind, resting on what. */
export const basisNamedSchema = z.strictObject({
  basis: z.string(),
  kind: z.enum(BASIS_KINDS),
  reference: z.string(),
})
export type BasisNamed = z.infer<typeof basisNamedSchema>

/** What a record rests on, in a line for people: who, which paper. */
export function basisSource(facts: BasisFacts): string {
  switch (facts.kind) {
    case 'contract':
      return facts.reference
    case 'legal_obligation':
      return `${facts.law} (${facts.reference})`
    case 'permit':
      return `${facts.authority}, ${facts.reference}`
    case 'legitimate_interest':
      return `${facts.interest} (${facts.reference})`
    case 'employment':
      return facts.agreement.with === 'statute'
        ? `${facts.agreement.law} (${facts.reference})`
        : `${facts.agreement.council}, ${facts.agreement.concludedOn} (${facts.reference})`
  }
}
