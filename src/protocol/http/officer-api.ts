import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { keySetSchema, newKeySetSchema } from '../member.ts'
import { OFFICER_ROLE_API } from './officer-role-api.ts'
import { registerSchema } from '../rights/register.ts'
import {
  countrySchema,
  dataSetIdSchema,
  digestSchema,
  instantSchema,
  memberIdSchema,
  purposeSchema,
} from '../wire.ts'

// A table of schemas and endpoints: the whole of the officer's seat in one place.

const textSchema = (what: string, charactersMax = 2_000) =>
  z.string(`expected ${what}`).trim().min(1, `expected ${what}`).max(charactersMax)
const dateSchema = z.iso.date('expected a date such as 2026-01-31')

const personContactSchema = z.strictObject({
  name: textSchema('a name', 200),
  email: z.email('expected an e-mail address').max(200),
  phone: z.string().max(40).optional(),
})

/** Who somebody is and how to reach them: what GDPR Art. 13(1)(a), (b) and 30(1)(a) ask for. */
export const partyContactSchema = z
  .strictObject({
    name: textSchema('the legal name', 200),
    address: textSchema('a postal address', 500),
    country: countrySchema,
    email: z.email('expected an e-mail address').max(200),
    /** Data-protection officer (Art. 37). */
    dataProtectionOfficer: personContactSchema.optional(),
    /** Representative in the Union of somebody established outside (Art. 27). */
    representative: personContactSchema.optional(),
    /** The supervisory authority that leads (Art. 56). */
    supervisoryAuthority: textSchema('the name of an authority', 200).optional(),
  })
  .openapi('PartyContact')
export type PartyContact = z.infer<typeof partyContactSchema>

const ASSESSMENT_KINDS = ['dpia', 'lia', 'tia'] as const

/**
 * A record that somebody assessed a use of a data set and approved it: a data-protection impact assessment (GDPR Art. 35),
 * a legitimate-interest assessment (Art. 6(1)(f)), or a transfer impact assessment (Art. 46). The document stays where it is;
 * its digest and reference stand here.
 */
export const assessmentFactsSchema = z.strictObject({
  dataSet: dataSetIdSchema,
  purpose: purposeSchema,
  kind: z.enum(ASSESSMENT_KINDS, `expected one of ${ASSESSMENT_KINDS.join(', ')}`),
  /** Where the document is kept, for example `DPIA-2026-014`. */
  reference: textSchema('a reference', 200),
  documentDigest: digestSchema.optional(),
  approvedBy: textSchema('who approved it', 200),
  approvedOn: dateSchema,
  /** From this day on it has to be looked at again, and no longer carries a use (Art. 35(11)). */
  reviewBy: dateSchema,
  /** Of the kind `lia`: whose interests weigh more, and why (Art. 6(1)(f), recital 47). */
  balancing: z
    .strictObject({
      result: z.enum(['interest_prevails', 'people_prevail'], 'expected interest_prevails or people_prevail'),
      because: textSchema('the reasons'),
    })
    .optional(),
})
export type AssessmentFacts = z.infer<typeof assessmentFactsSchema>

export const assessmentRequestSchema = assessmentFactsSchema
  .refine(({ approvedOn, reviewBy }) => approvedOn < reviewBy, {
    message: 'expected a date after approvedOn',
    path: ['reviewBy'],
  })
  .refine(({ kind, balancing }) => (kind === 'lia') === (balancing !== undefined), {
    message: 'expected how the balance came out, for the kind lia and no other',
    path: ['balancing'],
  })
  .openapi('AssessmentRequest')
export type AssessmentRequest = z.infer<typeof assessmentRequestSchema>

export const assessmentViewSchema = z
  .strictObject({
    assessment: z.string(),
    ...assessmentFactsSchema.shape,
    attachedAt: instantSchema,
    withdrawnAt: instantSchema.optional(),
    state: z.enum(['in_force', 'review_due', 'withdrawn']),
  })
  .openapi('Assessment')
export type AssessmentView = z.input<typeof assessmentViewSchema>

export const NOTICE_LANGUAGES = ['en', 'de', 'fr'] as const

/** What an incident is about: what went to somebody in a time, or all that is in some data sets. */
export const incidentScopeSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('releases'),
    /** Whose releases; absent: everybody's. */
    acquirer: memberIdSchema.optional(),
    dataSet: dataSetIdSchema.optional(),
    from: instantSchema,
    to: instantSchema,
  }),
  z.strictObject({ kind: z.literal('data-sets'), dataSets: z.array(dataSetIdSchema).min(1).max(100) }),
])
export type IncidentScope = z.infer<typeof incidentScopeSchema>

/** Kinds of a personal data breach (EDPB Guidelines 9/2022, 15). */
const BREACH_KINDS = ['confidentiality', 'integrity', 'availability'] as const
/** Who has to be told follows from the risk: nobody, the authority (Art. 33), the people as well (Art. 34). */
const BREACH_RISKS = ['unlikely', 'risk', 'high'] as const

/** What a letter to people says of an incident, in one language: nothing of it is translated by the site. */
const incidentTextShape = {
  consequences: textSchema('the likely consequences', 4_000),
  measures: textSchema('what was done and will be done', 4_000),
}

export const incidentRequestSchema = z
  .strictObject({
    title: textSchema('a title', 200),
    nature: z.array(z.enum(BREACH_KINDS)).min(1, `expected some of ${BREACH_KINDS.join(', ')}`),
    /** When the controller became aware: the clock starts here (Art. 33(1)). */
    awareAt: instantSchema,
    scope: incidentScopeSchema,
    risk: z.enum(BREACH_RISKS, `expected one of ${BREACH_RISKS.join(', ')}`),
    description: textSchema('what happened', 4_000),
    /** In which language it is written: letters in another one need their own text. */
    language: z.enum(NOTICE_LANGUAGES, `expected one of ${NOTICE_LANGUAGES.join(', ')}`).optional(),
    ...incidentTextShape,
  })
  .openapi('IncidentRequest')
export type IncidentRequest = z.infer<typeof incidentRequestSchema>

/** A step after the report: each is kept, none is changed (Art. 33(5)). */
export const incidentStepSchema = z
  .discriminatedUnion('step', [
    z.strictObject({
      step: z.literal('authority-told'),
      /** The number under which the authority keeps it. */
      reference: textSchema('the reference of the authority', 200),
      /** Needed when it is told after the deadline (Art. 33(1)). */
      reasonForDelay: textSchema('a reason', 2_000).optional(),
    }),
    z.strictObject({ step: z.literal('people-told'), how: textSchema('how they were told', 500) }),
    z.strictObject({
      step: z.literal('letter-text'),
      language: z.enum(NOTICE_LANGUAGES, `expected one of ${NOTICE_LANGUAGES.join(', ')}`),
      ...incidentTextShape,
    }),
    z.strictObject({ step: z.literal('note'), text: textSchema('a note', 4_000) }),
    z.strictObject({ step: z.literal('closed'), text: textSchema('why it is closed', 2_000) }),
  ])
  .openapi('IncidentStep')
export type IncidentStep = z.infer<typeof incidentStepSchema>

/** What is read from a file for the letters in one more language. */
export const letterTextSchema = z.strictObject({
  language: z.enum(NOTICE_LANGUAGES, `expected one of ${NOTICE_LANGUAGES.join(', ')}`),
  ...incidentTextShape,
})

export const incidentViewSchema = z
  .strictObject({
    incident: z.string(),
    ...incidentRequestSchema.shape,
    openedAt: instantSchema,
    state: z.enum(['open', 'authority_told', 'closed']),
    /** Whether the authority has to be told, until when, and whether that has passed without it. */
    authority: z.strictObject({
      isOwed: z.boolean(),
      due: instantSchema,
      hoursLeft: z.int(),
      isOverdue: z.boolean(),
      rule: z.string(),
    }),
    affected: z.strictObject({
      people: z.int().min(0),
      releases: z.int().min(0),
      dataSets: z.array(dataSetIdSchema),
      recipients: z.array(memberIdSchema),
      /** Where those of them are written to who have said it on the network. */
      recipientAddresses: z.array(z.strictObject({ member: memberIdSchema, address: z.string() })),
      categories: z.array(z.string()),
      hasSpecialCategories: z.boolean(),
    }),
    steps: z.array(z.strictObject({ at: instantSchema, step: incidentStepSchema })),
  })
  .openapi('Incident')
export type IncidentView = z.input<typeof incidentViewSchema>

export const transferRowSchema = z
  .strictObject({
    id: z.string(),
    /** A territory, or `*` for a safeguard that holds for any. */
    territory: z.string(),
    ground: z.enum(['adequacy', 'safeguard']),
    condition: z.string().optional(),
    from: dateSchema.optional(),
    until: dateSchema.optional(),
    source: z.string(),
    state: z.enum(['in_force', 'not_yet', 'ended', 'removed']),
    removal: z.strictObject({ reason: z.string(), at: instantSchema.optional() }).optional(),
  })
  .openapi('TransferGround')
export type TransferRow = z.input<typeof transferRowSchema>

export const noticeSchema = z
  .strictObject({
    dataSet: dataSetIdSchema,
    purpose: purposeSchema,
    language: z.enum(NOTICE_LANGUAGES),
    /** Digest of what the notice says: a notice of another digest has to be given again. */
    version: digestSchema,
    title: z.string(),
    sections: z.array(
      z.strictObject({ article: z.string(), heading: z.string(), text: z.array(z.string()) }),
    ),
  })
  .openapi('Notice')
export type Notice = z.input<typeof noticeSchema>

export const REGISTER_FORMATS = ['json', 'csv', 'html', 'archimate'] as const
const PAGE_FORMATS = ['json', 'html'] as const

const incidentParams = z.object({ incident: z.string().max(60) })

/** A use of high risk that no assessment carries, so that asks for it are declined. */
export const lackingAssessmentSchema = z.strictObject({
  dataSet: dataSetIdSchema,
  purpose: purposeSchema,
  reason: z.string(),
})

/** The officer's seat at a site. The operator is the custodian's officer; an issuer sees what concerns its own data sets. */
export const OFFICER_API = {
  register: endpoint({
    method: 'get',
    path: '/v1/officer/register',
    tag: 'officer',
    summary: 'The register of processing (GDPR Art. 30), made from the terms in force',
    description:
      'The operator and a regulator see all, an issuer its own data sets. `format` gives CSV, a page to print, or an ArchiMate model.',
    query: z.object({ format: z.enum(REGISTER_FORMATS).default('json') }),
    response: registerSchema,
  }),
  putParty: endpoint({
    method: 'put',
    path: '/v1/officer/parties/{member}',
    tag: 'officer',
    summary: 'Say who a party is and how to reach it: controller, processor, officer, representative',
    description: 'The operator for anybody, an issuer for itself.',
    params: z.object({ member: memberIdSchema }),
    body: partyContactSchema,
    response: partyContactSchema,
  }),
  notice: endpoint({
    method: 'get',
    path: '/v1/officer/notices',
    tag: 'officer',
    summary: 'The notice to people (GDPR Art. 13, 14) for a data set and a purpose, in a language',
    description:
      'A person whom the issuer of the data set knows, before they agree; that issuer, the operator, a regulator. For a purpose of its terms or a narrower one; for another the answer 400 names those that there are.',
    query: z.object({
      dataSet: dataSetIdSchema,
      purpose: purposeSchema,
      language: z.enum(NOTICE_LANGUAGES, `expected one of ${NOTICE_LANGUAGES.join(', ')}`).default('en'),
      format: z.enum(PAGE_FORMATS).default('json'),
    }),
    response: noticeSchema,
  }),
  listAssessments: endpoint({
    method: 'get',
    path: '/v1/officer/assessments',
    tag: 'officer',
    summary: 'Assessments that are attached, and those that are needed and missing',
    response: z
      .strictObject({
        items: z.array(assessmentViewSchema),
        missing: z.array(lackingAssessmentSchema),
      })
      .openapi('Assessments'),
  }),
  attachAssessment: endpoint({
    method: 'post',
    path: '/v1/officer/assessments',
    tag: 'officer',
    summary: 'Attach an approved assessment; uses of high risk are declined without one',
    description: 'The issuer whose data set it is, or the operator.',
    body: assessmentRequestSchema,
    response: assessmentViewSchema,
    status: 201,
    isIdempotent: true,
  }),
  withdrawAssessment: endpoint({
    method: 'delete',
    path: '/v1/officer/assessments/{assessment}',
    tag: 'officer',
    summary: 'Withdraw an assessment; uses that need one are declined from now on',
    params: z.object({ assessment: z.string().max(60) }),
    response: assessmentViewSchema,
  }),
  transfers: endpoint({
    method: 'get',
    path: '/v1/officer/transfers',
    tag: 'officer',
    summary: 'Grounds for transfers to third countries (GDPR Art. 45, 46), with dates and conditions',
    response: z.strictObject({ items: z.array(transferRowSchema) }).openapi('TransferGrounds'),
  }),
  removeTransfer: endpoint({
    method: 'put',
    path: '/v1/officer/transfers/{id}/removal',
    tag: 'officer',
    summary: 'Remove a ground for transfers: from now on nothing is released on it',
    description: 'The operator.',
    params: z.object({ id: z.string().max(60) }),
    body: z.strictObject({ reason: textSchema('a reason', 500) }).openapi('TransferRemoval'),
    response: transferRowSchema,
  }),
  restoreTransfer: endpoint({
    method: 'delete',
    path: '/v1/officer/transfers/{id}/removal',
    tag: 'officer',
    summary: 'Let a removed ground for transfers count again',
    description: 'The operator.',
    params: z.object({ id: z.string().max(60) }),
    response: transferRowSchema,
  }),
  listIncidents: endpoint({
    method: 'get',
    path: '/v1/officer/incidents',
    tag: 'officer',
    summary: 'Incidents with their clocks, newest first',
    response: z.strictObject({ items: z.array(incidentViewSchema) }).openapi('Incidents'),
  }),
  openIncident: endpoint({
    method: 'post',
    path: '/v1/officer/incidents',
    tag: 'officer',
    summary: 'Open an incident: the clock of Art. 33 runs from when it was known',
    description: 'The operator, or an issuer for its own data sets.',
    body: incidentRequestSchema,
    response: incidentViewSchema,
    status: 201,
    isIdempotent: true,
  }),
  incident: endpoint({
    method: 'get',
    path: '/v1/officer/incidents/{incident}',
    tag: 'officer',
    summary: 'One incident; `format=html` is the filled form of Art. 33(3)',
    params: incidentParams,
    query: z.object({ format: z.enum(PAGE_FORMATS).default('json') }),
    response: incidentViewSchema,
  }),
  incidentStep: endpoint({
    method: 'post',
    path: '/v1/officer/incidents/{incident}/steps',
    tag: 'officer',
    summary: 'Add a step: the authority was told, people were told, a note, closed',
    params: incidentParams,
    body: incidentStepSchema,
    response: incidentViewSchema,
    isIdempotent: true,
  }),
  incidentLetters: endpoint({
    method: 'get',
    path: '/v1/officer/incidents/{incident}/letters',
    tag: 'officer',
    summary: 'The letter to the people affected (Art. 34), and whom it goes to',
    description:
      'The issuer, for its own people: the keys by which it knows them. Reading it is logged for each of them. Refused where nothing was written for it in that language.',
    params: incidentParams,
    query: z.object({ language: z.enum(NOTICE_LANGUAGES).default('en') }),
    response: z
      .strictObject({
        subject: z.string(),
        text: z.array(z.string()),
        people: z.array(z.strictObject({ dataSet: dataSetIdSchema, person: z.string() })),
      })
      .openapi('IncidentLetters'),
  }),
  registerRegulator: endpoint({
    method: 'put',
    path: '/v1/regulators/{member}',
    tag: 'officer',
    summary:
      'Give a supervisory authority read access: register, receipts, proofs, incidents, and nothing else',
    description: 'The operator.',
    params: z.object({ member: memberIdSchema }),
    body: z.strictObject({ keys: newKeySetSchema }).openapi('RegisterRegulator'),
    response: z.strictObject({ member: memberIdSchema, keys: keySetSchema }).openapi('Regulator'),
  }),
  removeRegulator: endpoint({
    method: 'delete',
    path: '/v1/regulators/{member}',
    tag: 'officer',
    summary: 'End a supervisory authority’s access',
    description: 'The operator.',
    params: z.object({ member: memberIdSchema }),
    status: 204,
  }),
  ...OFFICER_ROLE_API,
} as const
