import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { ACCESS_API } from './access-api.ts'
import { ASK_AGAIN_API } from './ask-again-api.ts'
import { AUTHORITY_API } from './authority-api.ts'
import { BACKUP_API } from './backup-api.ts'
import { BASIS_API, missingBasisSchema } from './basis-api.ts'
import { CONTRACT_API } from './contract-api.ts'
import { SUB_PROCESSOR_API } from './sub-processor-api.ts'
import { DECLARED_BASES_API } from '../law/declared-bases.ts'
import { CONSENT_RECORD_API } from './consent-record-api.ts'
import { DATA_RIGHTS_API } from './data-rights-api.ts'
import { csvFormProblems, csvFormShape, saidForm } from '../csv-form.ts'
import { manifestSchema } from '../data-set.ts'
import { receiptBundleSchema } from '../decision.ts'
import { EVIDENCE_KINDS } from '../proof/evidence.ts'
import { GRANT_STATES, grantRequestSchema, grantTermsSchema, granteeSchema } from '../consent/grant.ts'
import { keySetSchema, newKeySetSchema } from '../member.ts'
import { HAND_OVER_API, windDownSchema } from './hand-over-api.ts'
import { LOCAL_ASK_API } from './local-ask-api.ts'
import { LOG_API } from './log-endpoints.ts'
import { OFFICER_API, lackingAssessmentSchema } from './officer-api.ts'
import { missingContractSchema } from '../law/processing-contract.ts'
import { nextCursorSchema, pageQuerySchema } from './page.ts'
import { PERSON_API, accessReasonSchema } from './person-api.ts'
import { QUESTION_API } from './question-api.ts'
import { PRINCIPAL_API } from './principal-api.ts'
import { RECEIPT_KINDS } from '../proof/receipt.ts'
import { columnValuesSchema } from '../rights/restriction.ts'
import { RIGHTS_API } from './rights-api.ts'
import { REQUEST_API } from './request-api.ts'
import { tokenEndpoint } from './token-endpoint.ts'
import {
  compactJwsSchema,
  countrySchema,
  dataSetIdSchema,
  digestSchema,
  instantSchema,
  memberIdSchema,
  siteIdSchema,
} from '../wire.ts'

// A table of schemas and endpoints: longer than other files, because it is the whole door of a site in one place.

const nextCursor = nextCursorSchema

/** More are sent as a file. */
const ROWS_PER_REQUEST_MAX = 500

/** Who a site is and its public keys: what it takes to verify its receipts. */
export const siteViewSchema = z
  .strictObject({
    site: siteIdSchema,
    custodian: memberIdSchema,
    territory: countrySchema,
    keys: keySetSchema,
    /** The keys it had first; absent while they are the present ones. */
    firstKeys: keySetSchema.optional(),
    /** Signed rotations that lead to these keys. */
    rotations: z.array(compactJwsSchema),
    /** The site winds down: it offers nothing any more. */
    windDown: windDownSchema.optional(),
  })
  .openapi('Site')

export const dataSetViewSchema = z
  .strictObject({
    dataSet: dataSetIdSchema,
    title: z.string(),
    issuer: memberIdSchema,
    state: z.enum(['active', 'retired']),
    rows: z.int().min(0),
    people: z.int().min(0),
    batches: z.int().min(0),
    manifestDigest: digestSchema,
    /** Whether the place of the site, as attested now, is in the perimeters. */
    mayBeStored: z.boolean(),
    mayBeProcessed: z.boolean(),
    describedAt: instantSchema,
  })
  .openapi('DataSet')

/** A data set as it was described, with the papers without which its asks are declined. */
export const describedViewSchema = dataSetViewSchema
  .extend({
    lacks: z.strictObject({
      contracts: z.array(missingContractSchema),
      assessments: z.array(lackingAssessmentSchema),
      /** Records of what its legal bases rest on; none where they are consent, which each person's grant is. */
      bases: z.array(missingBasisSchema),
      /** Those that are needed as soon as special categories are used on a large scale. */
      laterAssessments: z.array(lackingAssessmentSchema),
    }),
  })
  .openapi('DescribedDataSet')

/** The name of a batch: what makes an import idempotent. */
const batchIdSchema = z
  .string('expected the name of a batch')
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$/,
    'expected 1 to 200 letters, digits, dots, colons, underscores and hyphens',
  )

export const IMPORT_FORMATS = ['csv', 'ndjson', 'parquet'] as const
export type ImportFormat = (typeof IMPORT_FORMATS)[number]

export const batchViewSchema = z
  .strictObject({
    dataSet: dataSetIdSchema,
    batch: batchIdSchema,
    rows: z.int().min(0),
    /** People who were not at the site before this batch. */
    newPeople: z.int().min(0),
    importedAt: instantSchema,
    /** Of the data set after a file: how many rows are past the most of a person (`person.rowsMax`) and not counted, of how many people; both in steps, 0 for fewer than 20. Absent where every row counts. */
    uncounted: z.strictObject({ rows: z.int().min(0), people: z.int().min(0) }).optional(),
    /** Whether this request took it; false: it was there already. */
    isNew: z.boolean(),
  })
  .openapi('Batch')

/** `POST /v1/datasets/{dataSet}/batches`: beside the file. */
const importQuerySchema = z
  .object({
    /** Absent: the site makes a name of the contents, so that the same file is taken once. */
    batch: batchIdSchema.optional(),
    format: z.enum(IMPORT_FORMATS, `expected one of ${IMPORT_FORMATS.join(', ')}`),
    ...csvFormShape,
  })
  .superRefine(({ batch: _, format, ...form }, context) => {
    for (const problem of csvFormProblems(form)) context.addIssue({ code: 'custom', ...problem })
    const said = Object.keys(saidForm(form) ?? {})
    if (format === 'csv') return
    for (const name of said)
      context.addIssue({
        code: 'custom',
        message: 'expected only of CSV; this format says it itself',
        path: [name],
      })
  })

/** `POST /v1/datasets/{dataSet}/rows`. */
export const rowsRequestSchema = z
  .strictObject({
    batch: batchIdSchema,
    rows: z
      .array(columnValuesSchema)
      .min(1, 'expected at least one row')
      .max(ROWS_PER_REQUEST_MAX, `expected at most ${ROWS_PER_REQUEST_MAX} rows; more are a file`),
  })
  .openapi('RowsRequest')

export const grantViewSchema = z
  .strictObject({
    grant: z.string(),
    ...grantTermsSchema.shape,
    validFrom: instantSchema.optional(),
    validUntil: instantSchema.optional(),
    givenAt: instantSchema,
    /** Who gave it: `person`, `guardian:ID` (of the guardianship) or `issuer:NAME`. */
    enteredBy: z.string(),
    /** Of a guardian's grant: the guardianship it stands on. */
    guardianship: z.string().optional(),
    revokedAt: instantSchema.optional(),
    revokedBy: z.string().optional(),
    state: z.enum(GRANT_STATES),
  })
  .openapi('Grant')

/** Which grants of a person end: all in the data set, or those to one grantee, or one by its id. */
export const revocationRequestSchema = z
  .strictObject({
    dataSet: dataSetIdSchema,
    person: z.string('expected the key of a person').min(1, 'expected the key of a person').max(200),
    grantee: granteeSchema.optional(),
    grant: z.string().max(100).optional(),
  })
  .openapi('Revocation')
export type RevocationRequest = z.infer<typeof revocationRequestSchema>

/** Grants in one request: the whole of it is taken or nothing. */
export const GRANTS_PER_REQUEST_MAX = 10_000

const grantsBodySchema = z
  .union([
    grantRequestSchema,
    z.strictObject({ grants: z.array(grantRequestSchema).min(1).max(GRANTS_PER_REQUEST_MAX) }),
  ])
  .openapi('GrantsRequest')
const revocationsBodySchema = z
  .union([
    revocationRequestSchema,
    z.strictObject({ revocations: z.array(revocationRequestSchema).min(1).max(GRANTS_PER_REQUEST_MAX) }),
  ])
  .openapi('RevocationsRequest')

/** What changed; it is in force when this is answered. `sequence` is the consent sequence of the site. */
export const grantsChangedSchema = z
  .strictObject({
    changed: z.int().min(0),
    unchanged: z.int().min(0),
    sequence: z.int().min(0),
    /** Grants that another guardian has to agree to before they authorise anything; absent: none. */
    awaiting: z.int().min(1).optional(),
  })
  .openapi('GrantsChanged')

export const evidenceViewSchema = z
  .strictObject({
    state: z.enum(['missing', 'valid', 'expired', 'not_yet_valid']),
    kind: z.enum(EVIDENCE_KINDS).optional(),
    territory: countrySchema.optional(),
    longitude: z.number().optional(),
    latitude: z.number().optional(),
    validFrom: instantSchema.optional(),
    validUntil: instantSchema.optional(),
    digest: digestSchema.optional(),
  })
  .openapi('Evidence')

export const receiptListItemSchema = z
  .strictObject({
    sequence: z.int().min(0),
    kind: z.enum(RECEIPT_KINDS),
    time: instantSchema,
    receipt: compactJwsSchema,
  })
  .openapi('ReceiptListItem')

const dataSetParams = z.object({ dataSet: dataSetIdSchema })
const manifestBody = z.strictObject({ manifest: manifestSchema }).openapi('DescribeDataSet')

/** Every endpoint of a site's door. Who may is said in each description and checked by `site/doors/`. */
export const SITE_API = {
  site: endpoint({
    method: 'get',
    path: '/v1/site',
    tag: 'site',
    summary: 'Who this site is, with its public keys',
    response: siteViewSchema,
    isPublic: true,
  }),
  token: tokenEndpoint('site'),
  listDataSets: endpoint({
    method: 'get',
    path: '/v1/datasets',
    tag: 'data sets',
    summary: 'Data sets at this site',
    description: 'The operator sees all, an issuer its own.',
    query: pageQuerySchema,
    response: z.strictObject({ items: z.array(dataSetViewSchema), nextCursor }).openapi('DataSets'),
  }),
  describeDataSet: endpoint({
    method: 'post',
    path: '/v1/datasets',
    tag: 'data sets',
    summary: 'Describe a data set by its manifest, or change the terms of one',
    description:
      'The operator, or the issuer that the manifest names. The same manifest again changes nothing. The answer says which contracts, assessments and records of legal bases are lacking, without which asks are declined.',
    body: manifestBody,
    response: describedViewSchema,
    status: 201,
    isIdempotent: true,
  }),
  dataSet: endpoint({
    method: 'get',
    path: '/v1/datasets/{dataSet}',
    tag: 'data sets',
    summary: 'One data set with its manifest',
    params: dataSetParams,
    response: z
      .strictObject({ ...dataSetViewSchema.shape, manifest: manifestSchema })
      .openapi('DataSetWithManifest'),
  }),
  retireDataSet: endpoint({
    method: 'delete',
    path: '/v1/datasets/{dataSet}',
    tag: 'data sets',
    summary: 'Retire a data set: it is offered and asked no more, and its rows are removed',
    params: dataSetParams,
    response: dataSetViewSchema,
  }),
  importBatch: endpoint({
    method: 'post',
    path: '/v1/datasets/{dataSet}/batches',
    tag: 'data sets',
    summary: 'Import a file as one batch, whole or not at all',
    description:
      'The body is the file, plain or gzip. The same batch again changes nothing. Lines that are not what the manifest says are named, and nothing is taken.',
    params: dataSetParams,
    query: importQuerySchema,
    stream: ['text/csv', 'application/x-ndjson', 'application/vnd.apache.parquet', 'application/gzip'],
    response: batchViewSchema,
    status: 201,
  }),
  importRows: endpoint({
    method: 'post',
    path: '/v1/datasets/{dataSet}/rows',
    tag: 'data sets',
    summary: 'Import a few rows as one batch, whole or not at all',
    description:
      'For records as they come to be, one or some: values by the names of the manifest’s columns. The same batch again changes nothing. Rows that are not what the manifest says are named, and nothing is taken.',
    params: dataSetParams,
    body: rowsRequestSchema,
    response: batchViewSchema,
    status: 201,
  }),
  listBatches: endpoint({
    method: 'get',
    path: '/v1/datasets/{dataSet}/batches',
    tag: 'data sets',
    summary: 'Batches of a data set, oldest first',
    params: dataSetParams,
    query: pageQuerySchema,
    response: z.strictObject({ items: z.array(batchViewSchema), nextCursor }).openapi('Batches'),
  }),
  listGrants: endpoint({
    method: 'get',
    path: '/v1/grants',
    tag: 'grants',
    summary: 'Grants, without the people who gave them unless one person is named',
    description: 'An issuer sees those on its data sets, a person their own, the operator all.',
    query: pageQuerySchema.extend({
      dataSet: dataSetIdSchema.optional(),
      person: z
        .string()
        .min(1)
        .max(200)
        .optional()
        .openapi({ description: 'The key the issuer knows the person by.' }),
      reason: accessReasonSchema
        .optional()
        .openapi({ description: 'Why somebody else looks at this person’s grants; the person sees it.' }),
    }),
    response: z.strictObject({ items: z.array(grantViewSchema), nextCursor }).openapi('Grants'),
  }),
  giveGrants: endpoint({
    method: 'post',
    path: '/v1/grants',
    tag: 'grants',
    summary: 'Give one grant, or many at once',
    description:
      'The issuer of the data set on behalf of its people, or a person their own. In force when answered.',
    body: grantsBodySchema,
    response: grantsChangedSchema,
    status: 201,
    isIdempotent: true,
  }),
  revokeGrants: endpoint({
    method: 'post',
    path: '/v1/grants/revocations',
    tag: 'grants',
    summary: 'Revoke grants of one person, or of many at once',
    description:
      'In force when answered: no run that starts after it reads these people’s rows (GDPR Art. 7(3)).',
    body: revocationsBodySchema,
    response: grantsChangedSchema,
    isIdempotent: true,
  }),
  evidence: endpoint({
    method: 'get',
    path: '/v1/evidence',
    tag: 'place',
    summary: 'The location evidence in force',
    description: 'The operator.',
    response: evidenceViewSchema,
  }),
  giveEvidence: endpoint({
    method: 'post',
    path: '/v1/evidence',
    tag: 'place',
    summary: 'Give location evidence, signed with the operator’s key',
    description: 'The operator.',
    body: z.strictObject({ evidence: compactJwsSchema }).openapi('GiveEvidence'),
    response: evidenceViewSchema,
    status: 201,
  }),
  listReceipts: endpoint({
    method: 'get',
    path: '/v1/receipts',
    tag: 'receipts',
    summary: 'Receipts in the order of the log',
    description: 'The operator sees all, an issuer those that name its data sets.',
    query: pageQuerySchema.extend({ kind: z.enum(RECEIPT_KINDS).optional() }),
    response: z.strictObject({ items: z.array(receiptListItemSchema), nextCursor }).openapi('Receipts'),
  }),
  receipt: endpoint({
    method: 'get',
    path: '/v1/receipts/{sequence}',
    tag: 'receipts',
    summary: 'One receipt with its proof, to be verified off line',
    params: z.object({
      sequence: z.coerce
        .number('expected a whole number')
        .int()
        .min(0)
        .openapi({ type: 'integer', param: { required: true } }),
    }),
    response: receiptBundleSchema.openapi('ReceiptBundle'),
  }),
  ...LOG_API,
  ...QUESTION_API,
  ...PERSON_API,
  ...REQUEST_API,
  ...PRINCIPAL_API,
  registerIssuer: endpoint({
    method: 'put',
    path: '/v1/issuers/{member}',
    tag: 'site',
    summary: 'Make an issuer’s keys known to this site',
    description: 'The operator. From then on the issuer may place data here, and administer what it placed.',
    params: z.object({ member: memberIdSchema }),
    body: z.strictObject({ keys: newKeySetSchema }).openapi('RegisterIssuer'),
    response: z.strictObject({ member: memberIdSchema, keys: keySetSchema }).openapi('Issuer'),
  }),
  ...OFFICER_API,
  ...BASIS_API,
  ...CONTRACT_API,
  ...SUB_PROCESSOR_API,
  ...AUTHORITY_API,
  ...DECLARED_BASES_API,
  ...CONSENT_RECORD_API,
  ...DATA_RIGHTS_API,
  ...RIGHTS_API,
  ...HAND_OVER_API,
  ...LOCAL_ASK_API,
  ...BACKUP_API,
  ...ACCESS_API,
  ...ASK_AGAIN_API,
} as const
