import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { ACCESS_API } from './access-api.ts'
import { ASK_AGAIN_API } from './ask-again-api.ts'
import { AUTHORITY_API } from './authority-api.ts'
import { BACKUP_API } from './backup-api.ts'
import { BASIS_API } from './basis-api.ts'
import { CONTRACT_API } from './contract-api.ts'
import { SUB_PROCESSOR_API } from './sub-processor-api.ts'
import { DECLARED_BASES_API } from '../law/declared-bases.ts'
import { CONSENT_RECORD_API } from './consent-record-api.ts'
import { DATA_SET_API } from './data-set-api.ts'
import { DATA_RIGHTS_API } from './data-rights-api.ts'
import { receiptBundleSchema } from '../decision.ts'
import { EVIDENCE_KINDS } from '../proof/evidence.ts'
import { GRANT_STATES, grantRequestSchema, grantTermsSchema, granteeSchema } from '../consent/grant.ts'
import { keySetSchema, newKeySetSchema } from '../member.ts'
import { HAND_OVER_API, windDownSchema } from './hand-over-api.ts'
import { LOCAL_ASK_API } from './local-ask-api.ts'
import { LOG_API } from './log-endpoints.ts'
import { OFFICER_API } from './officer-api.ts'
import { nextCursorSchema, pageQuerySchema } from './page.ts'
import { PERSON_API, accessReasonSchema } from './person-api.ts'
import { QUESTION_API } from './question-api.ts'
import { PRINCIPAL_API } from './principal-api.ts'
import { RECEIPT_KINDS } from '../proof/receipt.ts'
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

const nextCursor = nextCursorSchema

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
  ...DATA_SET_API,
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
