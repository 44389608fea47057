import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { basisNamedSchema } from '../law/basis-record.ts'
import { reasonCodeSchema } from '../decision.ts'
import { grantTermsSchema } from '../consent/grant.ts'
import { nextCursorSchema, pageQuerySchema } from './page.ts'
import { CARRIED_KINDS, carriedRecordSchema } from '../rights/person-export.ts'
import {
  dataSetIdSchema,
  digestSchema,
  instantSchema,
  memberIdSchema,
  moneySchema,
  purposeSchema,
} from '../wire.ts'

// The part of a site's door that is about one person: a table of schemas and endpoints, longer than other files.

const nextCursor = nextCursorSchema

const WHO =
  'The person ("me", or their own key); the issuer for its people and the operator, both with a reason, which the person sees.'

/** Why somebody else looks at a person's data: the person reads it word for word. */
export const accessReasonSchema = z
  .string()
  .trim()
  .min(3, 'expected a reason of 3 to 200 characters')
  .max(200, 'expected a reason of 3 to 200 characters')

/** Whom a call is about, and why somebody else than the person makes it. */
export const personParams = z.object({
  ref: z
    .string()
    .min(1)
    .max(200)
    .openapi({ description: '"me", or the key the issuer knows the person by.' }),
})
const scopeShape = {
  /** Which issuer’s key `ref` is; needed by the operator. */
  issuer: memberIdSchema.optional(),
  reason: accessReasonSchema.optional(),
}
export const personScopeQuery = z.object(scopeShape)
const pagedScopeQuery = pageQuerySchema.extend(scopeShape)

/** One use of a person's data: who, why, what, and what it earned. */
export const useViewSchema = z
  .strictObject({
    time: instantSchema,
    acquirer: memberIdSchema,
    /** What the acquirer calls itself, as the network tells it. */
    acquirerName: z.string().optional(),
    purpose: z.string(),
    mode: z.string(),
    dataSet: dataSetIdSchema,
    columns: z.array(z.string()),
    reason: reasonCodeSchema,
    /** The legal basis that was named, and what it rests on where that is not the person's own grant. */
    legalBasis: z.string().optional(),
    bases: z.array(basisNamedSchema).optional(),
    /** The text that stood of each data set of the question, the one asked for first (GDPR Art. 7(1)). */
    noticeVersions: z.array(digestSchema).optional(),
    /** The country in which the result is used. */
    releaseTo: z.string(),
    /** Digest of the signed ask. */
    ask: digestSchema,
    /** Digest of the question as the site understood it. */
    question: digestSchema.optional(),
    /** The name under which the acquirer sees the person, where rows were released. */
    pseudonym: z.string().optional(),
    /** The person's own share. */
    earned: moneySchema.optional(),
    /** Sequence of the receipt in the site's log. */
    receipt: z.int().min(0),
  })
  .openapi('Use')

export const earningsViewSchema = z
  .strictObject({
    /** One amount for each currency. */
    totals: z.array(moneySchema),
    items: z.array(
      z.strictObject({
        acquirer: memberIdSchema,
        acquirerName: z.string().optional(),
        dataSet: dataSetIdSchema,
        purpose: z.string(),
        uses: z.int().min(1),
        earned: moneySchema,
      }),
    ),
  })
  .openapi('Earnings')

export const accessViewSchema = z
  .strictObject({
    time: instantSchema,
    /** `person`, `guardian:…`, `issuer:NAME`, `officer:NAME` or `operator`. */
    by: z.string(),
    /** What was read, for example `uses` or `export`. */
    what: z.string(),
    reason: z.string().optional(),
    receipt: z.int().min(0),
  })
  .openapi('Access')

export const objectionViewSchema = z
  .strictObject({
    purpose: purposeSchema,
    /** Absent: all data sets of the issuer. */
    dataSet: dataSetIdSchema.optional(),
    issuer: memberIdSchema,
    madeAt: instantSchema,
    withdrawnAt: instantSchema.optional(),
    receipt: z.int().min(0),
  })
  .openapi('Objection')

/** What changed; it is in force when this is answered. */
export const changedSchema = z
  .strictObject({ changed: z.int().min(0), unchanged: z.int().min(0), sequence: z.int().min(0) })
  .openapi('ConsentChanged')
export const grantPreviewSchema = z
  .strictObject({
    notice: digestSchema,
    answers: z.array(z.strictObject({ question: z.string(), answer: z.string() })),
  })
  .openapi('GrantPreview')
const objectionParams = personParams.extend({ purpose: purposeSchema })
const objectionQuery = z.object({
  issuer: memberIdSchema.optional(),
  dataSet: dataSetIdSchema.optional(),
})

export const EXPORT_FORMATS = ['jsonl', 'csv', 'html'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]
/** Kinds of records that make a table each. */
export const CSV_PARTS = [
  'about',
  'dataSets',
  'identities',
  'principals',
  'rows',
  'guardianships',
  'ageEvidence',
  'moves',
  'grants',
  'refusals',
  'objections',
  'bases',
  'requests',
  'uses',
  'accesses',
] as const
export type CsvPart = (typeof CSV_PARTS)[number]

export const carriedSchema = z
  .strictObject({ carried: z.int().min(0), known: z.int().min(0) })
  .openapi('Carried')

/** Most records of a former site in one request. */
export const CARRIED_PER_REQUEST_MAX = 5_000

/** The endpoints about one person. Who may is said in each description and checked by `site/doors/`. */
export const PERSON_API = {
  listUses: endpoint({
    method: 'get',
    path: '/v1/people/{ref}/uses',
    tag: 'people',
    summary: 'Every use of one person’s data, newest first',
    description: WHO,
    params: personParams,
    query: pagedScopeQuery,
    response: z.strictObject({ items: z.array(useViewSchema), nextCursor }).openapi('Uses'),
  }),
  earnings: endpoint({
    method: 'get',
    path: '/v1/people/{ref}/earnings',
    tag: 'people',
    summary: 'What uses of one person’s data earned them, by acquirer, data set and purpose',
    description: WHO,
    params: personParams,
    query: personScopeQuery,
    response: earningsViewSchema,
  }),
  listAccesses: endpoint({
    method: 'get',
    path: '/v1/people/{ref}/accesses',
    tag: 'people',
    summary: 'Who looked at one person’s data by name, newest first, this very look included',
    description: WHO,
    params: personParams,
    query: pagedScopeQuery,
    response: z.strictObject({ items: z.array(accessViewSchema), nextCursor }).openapi('Accesses'),
  }),
  exportPerson: endpoint({
    method: 'get',
    path: '/v1/people/{ref}/export',
    tag: 'people',
    summary: 'Everything the site has about one person (GDPR Art. 15 and 20)',
    description: `${WHO} JSON Lines by the schema at /v1/schemas/person-export, one table as CSV, or a page to read and print.`,
    params: personParams,
    query: personScopeQuery.extend({
      format: z.enum(EXPORT_FORMATS, `expected one of ${EXPORT_FORMATS.join(', ')}`).default('jsonl'),
      part: z
        .enum(CSV_PARTS, `expected one of ${CSV_PARTS.join(', ')}`)
        .optional()
        .openapi({ description: 'Which table, for CSV.' }),
      dataSet: dataSetIdSchema.optional().openapi({ description: 'Whose rows, for the rows as CSV.' }),
    }),
    produces: 'application/jsonl',
  }),
  previewGrant: endpoint({
    method: 'post',
    path: '/v1/grants/preview',
    tag: 'grants',
    summary: 'What a grant would allow, in plain words, before it is given',
    description:
      'A person for data sets of an issuer that knows them, the issuer for its own, the operator. Changes nothing; "notice" is what the grant is then given with.',
    body: grantTermsSchema.extend({ validUntil: instantSchema.optional() }).openapi('PreviewGrant'),
    response: grantPreviewSchema,
  }),
  refuseGrant: endpoint({
    method: 'post',
    path: '/v1/grants/refusals',
    tag: 'grants',
    summary: 'Note that somebody was asked for a grant and refused',
    description:
      'The person, or the issuer for its people. It costs them nothing, authorises nothing, and shows that they were free (GDPR Art. 7). A grant of the same terms that is in force ends.',
    body: grantTermsSchema.extend({ person: z.string().min(1).max(200) }).openapi('RefuseGrant'),
    response: changedSchema,
    status: 201,
  }),
  listObjections: endpoint({
    method: 'get',
    path: '/v1/people/{ref}/objections',
    tag: 'people',
    summary: 'To what a person objected, withdrawn objections too',
    description: WHO,
    params: personParams,
    query: personScopeQuery,
    response: z.strictObject({ items: z.array(objectionViewSchema) }).openapi('Objections'),
  }),
  objectTo: endpoint({
    method: 'put',
    path: '/v1/people/{ref}/objections/{purpose}',
    tag: 'people',
    summary: 'Object to a purpose (GDPR Art. 21); in force when answered, whatever was granted',
    description:
      'The person, or the issuer for its people. Without "dataSet" it is about all data sets of the issuers that know the person.',
    params: objectionParams,
    query: objectionQuery,
    response: changedSchema,
  }),
  withdrawObjection: endpoint({
    method: 'delete',
    path: '/v1/people/{ref}/objections/{purpose}',
    tag: 'people',
    summary: 'Withdraw an objection; what was granted counts again',
    params: objectionParams,
    query: objectionQuery,
    response: changedSchema,
  }),
  carryHistory: endpoint({
    method: 'post',
    path: '/v1/people/{ref}/history',
    tag: 'people',
    summary: 'Take over a person’s history from the export of another site',
    description: `The person, or the issuer for its people. Records of the kinds ${CARRIED_KINDS.join(', ')}; a record that is here already is left alone. They stand in the person’s exports as they were and authorise nothing here.`,
    params: personParams,
    body: z
      .strictObject({ records: z.array(carriedRecordSchema).min(1).max(CARRIED_PER_REQUEST_MAX) })
      .openapi('CarryHistory'),
    response: carriedSchema,
  }),
  personExportSchema: endpoint({
    method: 'get',
    path: '/v1/schemas/person-export',
    tag: 'people',
    summary: 'The JSON Schema of one line of an export',
    isPublic: true,
    produces: 'application/schema+json',
  }),
} as const
