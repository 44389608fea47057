import { z } from '@hono/zod-openapi'
import { askSubmissionSchema } from '../ask.ts'
import { knownAreaSchema, knownCountrySchema } from '../law/countries.ts'
import { decisionMessageSchema, receiptBundleSchema, reasonCodeSchema } from '../decision.ts'
import { keySetSchema, memberSchema, newKeySetSchema, roleSchema } from '../member.ts'
import { modeSchema } from '../mode.ts'
import { networkKeySetSchema } from '../proof/network-keys.ts'
import { offerSchema } from '../offer.ts'
import { nextCursorSchema, pageQuerySchema } from './page.ts'
import { isKnownPurpose } from '../law/purpose.ts'
import {
  ONE_LINE,
  askIdSchema,
  compactJweSchema,
  compactJwsSchema,
  countrySchema,
  dataSetIdSchema,
  digestSchema,
  instantSchema,
  isOneLine,
  memberIdSchema,
  moneySchema,
  nameSchema,
  publicKeySchema,
  purposeSchema,
  siteIdSchema,
} from '../wire.ts'

/**
 * Every body that goes in or out of the network's door. The door validates by these, its OpenAPI document is made from
 * them, and the SDK and the sites parse what comes back with them. A table of schemas, so it may be long.
 *
 * Requests carry `Authorization: Bearer …`: either a client assertion (`client-assertion.ts`; audience = the network's
 * name in `GET /v1/network`) or the access token that `POST /v1/token` gave for one.
 */

/** Issuer of the operator's own assertions; neither a member nor a site may take this name. */
export const OPERATOR = 'operator'

/** `wait` in milliseconds: how long the answer may be held back until there is something to say. */
const waitSchema = z.coerce
  .number('expected milliseconds')
  .int('expected milliseconds')
  .min(0, 'expected 0 or more')
  .optional()
  .openapi({
    type: 'integer',
    description: 'Milliseconds to wait for something new; at most 25 seconds are waited.',
  })

// --- who the network is ---

/** `GET /v1/network`, open to everybody: what one needs to talk to the network and to verify its receipts. */
export const networkInfoSchema = z
  .strictObject({
    /** Audience of client assertions, and the signer of the network's receipts. */
    name: nameSchema,
    signing: publicKeySchema,
    /** Origin line of the checkpoints of the network's log. */
    logOrigin: z.string(),
    /** The key by which the network cosigns its sites' logs, as `name+hash+key` (C2SP tlog-cosignature). */
    witness: z.string().max(300).optional(),
    /** The first keys; absent while they are the present ones. */
    firstKeys: networkKeySetSchema.optional(),
    /** The statements that lead from the first keys to the present ones, each signed with the signing key before it. */
    rotations: z.array(compactJwsSchema).default([]),
    version: z.string(),
  })
  .openapi('Network')
export type NetworkInfo = z.infer<typeof networkInfoSchema>

// --- members and sites ---

/** `POST /v1/members`, by the operator. */
export const newMemberSchema = memberSchema
  .omit({ firstKeys: true, rotations: true, status: true })
  .extend({
    country: knownCountrySchema,
    keys: newKeySetSchema,
    // It stands in lists, invoices and registers of others. What is kept from before it was asked for is read all the same.
    name: memberSchema.shape.name.refine(isOneLine, ONE_LINE),
    transferBases: z
      .array(z.string().min(1, 'expected a basis such as scc').max(100).refine(isOneLine, ONE_LINE))
      .max(20)
      .default([]),
  })
  .openapi('NewMember')
export type NewMember = z.input<typeof newMemberSchema>

/**
 * A member as everybody on the network may see it; `processors` may sign asks for it in batches, and `colludesWith` are
 * those with whom it puts its answers together, as the operator has declared.
 */
export const memberRecordSchema = memberSchema
  .extend({
    processors: z.array(memberIdSchema).default([]),
    colludesWith: z.array(memberIdSchema).default([]),
  })
  .openapi('Member')
export type MemberRecord = z.infer<typeof memberRecordSchema>

export const memberPageSchema = z
  .strictObject({ items: z.array(memberRecordSchema), nextCursor: nextCursorSchema })
  .openapi('MemberPage')
export const memberQuerySchema = pageQuerySchema.extend({ role: roleSchema.optional() })

/** `POST /v1/members/{id}/keys` and `POST /v1/sites/{id}/keys`: payload `keyRotationSchema`, signed with the key before. */
export const keyRotationRequestSchema = z
  .strictObject({ rotation: compactJwsSchema })
  .openapi('KeyRotationRequest')

/** `PUT /v1/members/{id}/status` and `PUT /v1/sites/{id}/status`, by the operator. */
export const statusChangeSchema = z
  .strictObject({ status: z.enum(['active', 'suspended'], 'expected "active" or "suspended"') })
  .openapi('StatusChange')

/** `PUT /v1/members/{id}/processors`, by the member: who may sign asks on its behalf. */
export const processorListSchema = z
  .strictObject({ processors: z.array(memberIdSchema).max(100) })
  .openapi('ProcessorList')

/** `POST /v1/members/{id}/collusion`, by the operator: acquirers that put their answers together with the member's. */
export const collusionSchema = z
  .strictObject({ with: z.array(memberIdSchema).min(1, 'expected at least one member').max(100) })
  .openapi('Collusion')

/** `PUT /v1/members/{id}/limits`, by the operator: the most that may be held for the member's asks of one UTC day. */
export const memberLimitsSchema = z
  .strictObject({
    daily: z.array(moneySchema).max(20).refine(isEachCurrencyOnce, 'expected each currency once'),
  })
  .openapi('MemberLimits')

/** `GET /v1/limits`: the limits that are set, of each member that the caller may see them of. */
export const limitsPageSchema = z
  .strictObject({
    items: z.array(z.strictObject({ member: memberIdSchema, daily: z.array(moneySchema) })),
    nextCursor: nextCursorSchema,
  })
  .openapi('LimitsPage')
export const limitsQuerySchema = pageQuerySchema.extend({ member: memberIdSchema.optional() })

function isEachCurrencyOnce(amounts: readonly { readonly currency: string }[]): boolean {
  return new Set(amounts.map(({ currency }) => currency)).size === amounts.length
}

/** `POST /v1/sites`, by the operator: a site with the member that runs it. */
export const newSiteSchema = z
  .strictObject({
    id: siteIdSchema,
    custodian: memberIdSchema,
    country: knownCountrySchema,
    keys: newKeySetSchema,
  })
  .openapi('NewSite')
export type NewSite = z.input<typeof newSiteSchema>

export const siteRecordSchema = z
  .strictObject({
    id: siteIdSchema,
    custodian: memberIdSchema,
    country: countrySchema,
    keys: keySetSchema,
    firstKeys: keySetSchema,
    rotations: z.array(compactJwsSchema).default([]),
    status: z.enum(['active', 'suspended']),
  })
  .openapi('Site')
export type SiteRecord = z.infer<typeof siteRecordSchema>

export const sitePageSchema = z
  .strictObject({ items: z.array(siteRecordSchema), nextCursor: nextCursorSchema })
  .openapi('SitePage')

// --- offers ---

/** Payload of the JWS (`TYP.offer`) in which a site publishes everything it offers; it replaces the list before. */
export const offerListSchema = z.strictObject({
  site: siteIdSchema,
  offers: z.array(offerSchema).max(1_000),
  time: instantSchema,
})
export type OfferList = z.infer<typeof offerListSchema>

/** `PUT /v1/sites/{id}/offers`, by the site; `GET` gives the same back, so that anybody can check the signature. */
export const offerSubmissionSchema = z.strictObject({ offers: compactJwsSchema }).openapi('OfferSubmission')

/** `GET /v1/offers`, open to everybody: prices are a public tariff (DGA Art. 12(f)). */
export const offerQuerySchema = pageQuerySchema.extend({
  dataSet: dataSetIdSchema.optional(),
  site: siteIdSchema.optional(),
  within: knownAreaSchema.optional(),
  mode: modeSchema.optional(),
  purpose: purposeSchema
    .refine(isKnownPurpose, 'expected a DPV purpose such as dpv:AcademicResearch; there is no such purpose')
    .optional(),
})
export const offerPageSchema = z
  .strictObject({ items: z.array(offerSchema.openapi('Offer')), nextCursor: nextCursorSchema })
  .openapi('OfferPage')

// --- asks ---

/** `POST /v1/asks`: one signed ask, or a signed batch. */
export const askRequestSchema = askSubmissionSchema.openapi('AskSubmission')

/** What one site has said so far. `decision` is the site's own signed statement (`siteDecisionSchema`). */
export const siteAnswerSchema = z
  .strictObject({
    site: siteIdSchema,
    status: z.enum(['waiting', 'answered', 'unreachable']),
    /** The site's share of the hold: it may not charge more. */
    priceLimit: moneySchema,
    reason: reasonCodeSchema.optional(),
    decision: compactJwsSchema.optional(),
    receipts: z.array(receiptBundleSchema).default([]),
    hasRelease: z.boolean(),
    /** Sealed to the acquirer; only to the acquirer, and only where `releases=true` asked for it. */
    release: compactJweSchema.optional(),
    /** The site withdrew what it released, because somebody in it was erased; it is deleted here. */
    withdrawnAt: instantSchema.optional(),
    /** What was captured of the hold. */
    captured: moneySchema.optional(),
  })
  .openapi('SiteAnswer')
export type SiteAnswer = z.infer<typeof siteAnswerSchema>

/**
 * An ask as the network knows it: the answer to `POST /v1/asks` and to `GET /v1/asks/{id}?wait=`.
 * `declined` is the network's own decline (with its receipt); `waiting` until every site has answered or the ask expired.
 */
export const askStateSchema = z
  .strictObject({
    id: askIdSchema,
    acquirer: memberIdSchema,
    status: z.enum(['waiting', 'answered', 'declined']),
    reason: reasonCodeSchema.optional(),
    detail: z.string().optional(),
    offer: dataSetIdSchema,
    purpose: z.string(),
    mode: modeSchema,
    dryRun: z.boolean(),
    /** What was held for the highest price. */
    hold: moneySchema.optional(),
    received: instantSchema,
    expires: instantSchema,
    sites: z.array(siteAnswerSchema),
    receipt: receiptBundleSchema.optional(),
  })
  .openapi('AskState')
export type AskState = z.infer<typeof askStateSchema>

/** Answer to a batch: one for each ask, in the order of the batch. */
const askBatchAnswerSchema = z.strictObject({ answers: z.array(askStateSchema) }).openapi('AskBatchAnswer')
export const askPageSchema = z
  .strictObject({ items: z.array(askStateSchema), nextCursor: nextCursorSchema })
  .openapi('AskPage')
/** Answer to `POST /v1/asks`, by what was sent. */
export const askResponseSchema = z.union([askStateSchema, askBatchAnswerSchema])
/** `POST /v1/asks` and `GET /v1/asks/{id}`: one request brings what a trade ends with. */
export const askWaitQuerySchema = z.object({
  wait: waitSchema,
  releases: z
    .enum(['true', 'false'])
    .optional()
    .openapi({ description: 'Whether sealed releases come along; only the acquirer is given them.' }),
})

/** `GET /v1/asks/{id}/releases`, to the acquirer only: sealed to its key. */
export const releaseListSchema = z
  .strictObject({
    releases: z.array(
      z.strictObject({ site: siteIdSchema, release: compactJweSchema, digest: digestSchema }),
    ),
  })
  .openapi('ReleaseList')

// --- work of a site ---

/**
 * `GET /v1/sites/{id}/work?wait=&resume=`. What was given out is not given again for a while (`LIMITS.longPollMs`),
 * unless `resume=true` asks for everything that is not answered: a site does so when it starts.
 */
export const workQuerySchema = z.object({
  wait: waitSchema,
  limit: z.coerce.number('expected a whole number').int().min(1).optional(),
  resume: z.enum(['true', 'false'], 'expected "true" or "false"').optional(),
  directory: z.string().max(100).optional().openapi({
    description: 'The "directory" of the last answer, or empty: answers at once when it is another one now.',
  }),
})

/** One ask to answer. Its signed text is `jws`, or the `index`th ask of the batch with that digest in `batches`. */
export const workItemSchema = z
  .strictObject({
    ask: askIdSchema,
    acquirer: memberIdSchema,
    jws: compactJwsSchema.optional(),
    batch: z
      .strictObject({ digest: digestSchema, index: z.int().min(0), processor: memberIdSchema })
      .optional(),
    dataSet: dataSetIdSchema,
    priceLimit: moneySchema,
    dryRun: z.boolean(),
    expires: instantSchema,
  })
  .openapi('WorkItem')
export type WorkItem = z.infer<typeof workItemSchema>

export const workSchema = z
  .strictObject({
    items: z.array(workItemSchema),
    /** Signed batches by the digest of their text: each stands here once. */
    batches: z.record(z.string(), compactJwsSchema),
    /** Every acquirer and processor of the items, with the chain of their keys. */
    members: z.array(memberRecordSchema),
    /** Another one whenever a member was registered, suspended or changed; told to a site that asked for it. */
    directory: z.string().optional(),
  })
  .openapi('Work')
export type Work = z.infer<typeof workSchema>

/** `POST /v1/sites/{id}/decisions`. The same message again is answered as before, another one for the ask is a conflict. */
export const decisionRequestSchema = decisionMessageSchema.openapi('DecisionMessage')

/** `POST /v1/sites/{id}/clearings`: a clearing record that comes after its decision. */
export const clearingRequestSchema = z
  .strictObject({ clearing: compactJwsSchema })
  .openapi('ClearingSubmission')

/** What the network did with a decision or a clearing record. */
export const captureAnswerSchema = z
  .strictObject({
    ask: askIdSchema,
    site: siteIdSchema,
    captured: moneySchema.optional(),
    freed: moneySchema.optional(),
  })
  .openapi('CaptureAnswer')
export type CaptureAnswer = z.infer<typeof captureAnswerSchema>
