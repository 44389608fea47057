import { z } from 'zod'
import type { PublicJwk } from '../kernel/crypto/keys.ts'
import { logPositionSchema } from './proof/retired-key.ts'
import {
  compactJwsSchema,
  countrySchema,
  memberIdSchema,
  newPublicKeySchema,
  publicKeySchema,
} from './wire.ts'

/** What a member does on the network; one member may have several roles. */
export const ROLES = [
  'acquirer',
  'acquirer-processor',
  'issuer',
  'issuer-processor',
  'custodian',
  'regulator',
] as const
export const roleSchema = z.enum(ROLES, `expected one of ${ROLES.join(', ')}`)
export type Role = z.infer<typeof roleSchema>

/** Kinds of acquirer that a grant can name instead of a single member. */
export const ACQUIRER_CLASSES = [
  'insurer',
  'equipment-maker',
  'researcher',
  'publisher',
  'employer',
  'advertiser',
  'public-body',
] as const
export const acquirerClassSchema = z.enum(ACQUIRER_CLASSES, `expected one of ${ACQUIRER_CLASSES.join(', ')}`)
export type AcquirerClass = z.infer<typeof acquirerClassSchema>

/** The two public keys of a member or a site: one to verify its signatures, one to seal to it. */
export const keySetSchema = keySetOf(publicKeySchema)
/** The same where they are told for the first time: when they are registered, and when they are changed. */
export const newKeySetSchema = keySetOf(newPublicKeySchema)
export type KeySet = { readonly signing: PublicJwk; readonly sealing: PublicJwk }

function keySetOf(schema: typeof publicKeySchema) {
  return z.strictObject({
    signing: schema.refine(({ crv }) => crv === 'Ed25519', 'expected an Ed25519 key'),
    sealing: schema.refine(({ crv }) => crv === 'X25519', 'expected an X25519 key'),
  })
}

/**
 * The payload of a rotation: the next key set, signed with the key before it, so that whoever pinned the old key can follow.
 * `log` is there of a site: the log that the key before it signed, as it was left.
 */
export const keyRotationSchema = z.strictObject({
  member: memberIdSchema,
  next: keySetSchema,
  time: z.string(),
  log: logPositionSchema.optional(),
})
export type KeyRotation = z.infer<typeof keyRotationSchema>

/** A member as everybody may see it. `rotations` leads from the first key set to the present one. */
export const memberSchema = z.strictObject({
  id: memberIdSchema,
  name: z.string('expected a name').min(1, 'expected a name').max(200, 'expected at most 200 characters'),
  country: countrySchema,
  roles: z.array(roleSchema).min(1, 'expected at least one role'),
  acquirerClass: acquirerClassSchema.optional(),
  /** Transfer bases the network operator has checked for this member, for example `scc` or `dpf-certified`. */
  transferBases: z.array(z.string()).default([]),
  keys: keySetSchema,
  firstKeys: keySetSchema,
  rotations: z.array(compactJwsSchema).default([]),
  status: z.enum(['active', 'suspended']).default('active'),
})
export type Member = z.infer<typeof memberSchema>
