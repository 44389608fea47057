import { z } from '@hono/zod-openapi'
import { endpoint } from '../kernel/http/endpoint.ts'
import { decisionMessageSchema } from './decision.ts'
import { captureAnswerSchema, memberRecordSchema } from './http/network-api.ts'
import {
  compactJwsSchema,
  instantSchema,
  memberIdSchema,
  moneySchema,
  nameSchema,
  siteIdSchema,
} from './wire.ts'

/**
 * Floor limits: what a site may approve without reaching the network (ISO 8583: stand-in). The network holds the whole
 * amount on the acquirer's account when it gives one, so that what the site books on it later is always covered.
 */

export const floorLimitIdSchema = z
  .string('expected the id of a floor limit')
  .regex(/^flr_[0-9A-HJKMNP-TV-Z]{26}$/, 'expected "flr_" and 26 characters of Crockford base 32')
export const FLOOR_STATES = ['open', 'closed'] as const

/** Payload of the statement (`TYP.floorLimit`) in which the network gives a limit, signed with its key. */
export const floorLimitSchema = z.strictObject({
  id: floorLimitIdSchema,
  network: nameSchema,
  site: siteIdSchema,
  acquirer: memberIdSchema,
  /** The most that may be booked on it, over all asks. */
  amount: moneySchema,
  validFrom: instantSchema,
  /** No ask is approved on it from then on. */
  validUntil: instantSchema,
  /** What has not been cleared by then is no longer covered by the hold. */
  clearUntil: instantSchema,
})
export type FloorLimit = z.infer<typeof floorLimitSchema>

/** `POST /v1/sites/{id}/floor-limits`, by the operator of the network. */
const newFloorLimitSchema = z
  .strictObject({
    acquirer: memberIdSchema,
    amount: moneySchema,
    validUntil: instantSchema,
    /** Absent: seven days after it has ended. */
    clearUntil: instantSchema.optional(),
  })
  .openapi('NewFloorLimit')

/** A floor limit as the network keeps it. */
export const floorLimitViewSchema = z
  .strictObject({
    id: floorLimitIdSchema,
    site: siteIdSchema,
    acquirer: memberIdSchema,
    amount: moneySchema,
    /** What was captured of it so far. */
    captured: moneySchema,
    validFrom: instantSchema,
    validUntil: instantSchema,
    clearUntil: instantSchema,
    /** `closed`: nothing is held for it any longer. */
    state: z.enum(FLOOR_STATES),
    /** The network's signed statement. */
    statement: compactJwsSchema,
  })
  .openapi('FloorLimit')
export type FloorLimitView = z.infer<typeof floorLimitViewSchema>

/** What a site is told: its limits that are not closed, and the members they are for, with the chain of their keys. */
export const floorLimitListSchema = z
  .strictObject({ items: z.array(floorLimitViewSchema), members: z.array(memberRecordSchema) })
  .openapi('FloorLimitList')
export type FloorLimitList = z.infer<typeof floorLimitListSchema>

/** An answer that a site gave on the local network and booked on a floor limit: with the ask that was signed for it. */
export const localAnswerSchema = decisionMessageSchema
  .extend({ ask: compactJwsSchema, floorLimit: floorLimitIdSchema, clearing: compactJwsSchema })
  .openapi('LocalAnswer')
export type LocalAnswer = z.infer<typeof localAnswerSchema>

const siteParams = z.object({ id: siteIdSchema })
const limitParams = siteParams.extend({ limit: floorLimitIdSchema })

/** The network's endpoints of floor limits. */
export const FLOOR_API = {
  giveFloorLimit: endpoint({
    method: 'post',
    path: '/v1/sites/{id}/floor-limits',
    tag: 'floor limits',
    summary: 'Give a site a floor limit for an acquirer: what it may approve without reaching the network',
    description:
      'The operator. Needs an Idempotency-Key. The amount is held on the acquirer’s account until the site has cleared, or "clearUntil" has passed.',
    params: siteParams,
    body: newFloorLimitSchema,
    response: floorLimitViewSchema,
    status: 201,
  }),
  listFloorLimits: endpoint({
    method: 'get',
    path: '/v1/sites/{id}/floor-limits',
    tag: 'floor limits',
    summary: 'Floor limits of a site that are not closed, with the members they are for',
    description: 'The site, and the operator.',
    params: siteParams,
    response: floorLimitListSchema,
  }),
  closeFloorLimit: endpoint({
    method: 'post',
    path: '/v1/sites/{id}/floor-limits/{limit}/closing',
    tag: 'floor limits',
    summary: 'Say that nothing more will be booked on a floor limit; what is left of its hold is freed',
    description: 'The site, once the limit has ended and everything booked on it is cleared.',
    params: limitParams,
    response: floorLimitViewSchema,
  }),
  clearLocal: endpoint({
    method: 'post',
    path: '/v1/sites/{id}/local-answers',
    tag: 'floor limits',
    summary: 'An answer that a site gave on the local network, to be captured from its floor limit',
    description:
      'The site. Captured once, also when the same ask came through the network. The same message again gives the same answer.',
    params: siteParams,
    body: localAnswerSchema,
    response: captureAnswerSchema,
  }),
} as const
