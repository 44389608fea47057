import { z } from '@hono/zod-openapi'
import type { RefusalGround, RequestKind, RequestState } from './request-api.ts'
import { instantSchema } from '../wire.ts'

/**
 * Messages of the Data Rights Protocol 1.0 (Consumer Reports, Apache-2.0 text of August 2025), in its own spelling: agents
 * whom people have authorised exercise rights by signed messages. Section numbers are of that text.
 */
const DRP_VERSION = '1.0'

/** The protocol's rights (3.01), and ours for those of the GDPR that it has no words for. */
export const EXERCISES = {
  deletion: 'erasure',
  access: 'access',
  'access:categories': 'access',
  'access:specific': 'access',
  'sale:opt-out': 'objection',
  'hedgerow:rectification': 'rectification',
  'hedgerow:restriction': 'restriction',
  'hedgerow:portability': 'portability',
  'hedgerow:objection': 'objection',
  'hedgerow:withdraw-consent': 'withdraw_consent',
  'hedgerow:human-review': 'human_review',
} as const satisfies Readonly<Record<string, RequestKind>>
export type Exercise = keyof typeof EXERCISES

/** Exercises by who gave them their name: an entry of the service directory may hold those of the protocol alone (3.05.2). */
export const PROTOCOL_EXERCISES = Object.keys(EXERCISES).filter((exercise) => !isOwnName(exercise))
export const OWN_EXERCISES = Object.keys(EXERCISES).filter(isOwnName)

function isOwnName(exercise: string): boolean {
  return exercise.startsWith('hedgerow:')
}

/** Which request of the desk an exercise is; `sale:opt-in` is none: a consent is a person's own to give. */
export function requestKindOf(exercise: string): RequestKind | undefined {
  return Object.hasOwn(EXERCISES, exercise) ? EXERCISES[exercise as Exercise] : undefined
}

export const agentIdSchema = z
  .string('expected the id of an agent')
  .regex(/^[A-Za-z0-9_.-]{1,100}$/, 'expected 1 to 100 letters, digits, points, hyphens and underscores')

const signedShape = {
  'agent-id': agentIdSchema,
  'business-id': z.string('expected the id of a business').min(1).max(100),
  'issued-at': instantSchema,
  'expires-at': instantSchema,
  'drp.version': z.literal(DRP_VERSION, `expected "${DRP_VERSION}"`),
}

/** What every signed message says, so that it holds for one agent, one business and a short time (3.07). */
export const signedMessageSchema = z.looseObject(signedShape)
export type SignedMessage = z.infer<typeof signedMessageSchema>

/** A request to exercise a right (2.01): who asks, what for, and claims about the person (3.04). */
export const exerciseSchema = z.looseObject({
  ...signedShape,
  'agent-request-id': z.string().min(1).max(200).optional(),
  exercise: z.string('expected a right').min(1).max(60),
  regime: z.string().max(60).optional(),
  relationships: z.array(z.string().max(60)).max(20).optional(),
  status_callback: z
    .url({ protocol: /^https$/, error: 'expected an https address' })
    .max(500)
    .optional(),
})
export type ExerciseMessage = z.infer<typeof exerciseSchema>

export const revokeMessageSchema = z.looseObject({ reason: z.string().max(1_000).optional() })

export const EXERCISE_STATUSES = ['open', 'in_progress', 'fulfilled', 'revoked', 'denied', 'expired'] as const
export const STATUS_REASONS = [
  'need_user_verification',
  'suspected_fraud',
  'insuf_verification',
  'no_match',
  'claim_not_covered',
  'outside_jurisdiction',
  'too_many_requests',
  'other',
] as const
export type StatusReason = (typeof STATUS_REASONS)[number]

/** Where a request stands, as the agent reads it (3.02, 3.03). */
export const exerciseStatusSchema = z
  .strictObject({
    request_id: z.string(),
    received_at: z.string(),
    expected_by: z.string().optional(),
    agent_request_id: z.string().optional(),
    processing_details: z.string().optional(),
    status: z.enum(EXERCISE_STATUSES),
    reason: z.enum(STATUS_REASONS).optional(),
    user_verification_url: z.string().optional(),
  })
  .openapi('ExerciseStatus')
export type ExerciseStatus = z.infer<typeof exerciseStatusSchema>

/** A request error (3.06); workflow errors stand in the status. */
export const drpErrorSchema = z.strictObject({
  code: z.string(),
  message: z.string(),
  fatal: z.boolean().optional(),
})

/** The state of a request of the desk in the protocol's words. */
export const STATUS_OF: Readonly<Record<RequestState, ExerciseStatus['status']>> = {
  open: 'open',
  in_progress: 'in_progress',
  waiting_for_identity: 'in_progress',
  fulfilled: 'fulfilled',
  refused: 'denied',
  withdrawn: 'revoked',
}

/** The ground of a refusal in the protocol's words; what it has none for is `other`, with what was said. */
export const REASON_OF: Readonly<Record<RefusalGround, StatusReason>> = {
  manifestly_unfounded: 'other',
  excessive: 'too_many_requests',
  identity_not_proven: 'insuf_verification',
  legal_obligation: 'claim_not_covered',
  legal_claims: 'claim_not_covered',
  rights_of_others: 'claim_not_covered',
  compelling_grounds: 'claim_not_covered',
  not_applicable: 'claim_not_covered',
}
