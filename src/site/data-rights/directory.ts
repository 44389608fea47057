import { z } from 'zod'
import { agentIdSchema } from '../../protocol/http/data-rights-protocol.ts'
import { memberIdSchema } from '../../protocol/wire.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'

/** Who may ask by the Data Rights Protocol, and of whom: what its service directory says, kept in the settings of a site. */
export const dataRightsSettingsSchema = z.strictObject({
  agents: z
    .array(
      z.strictObject({
        id: agentIdSchema,
        name: z.string().min(1).max(200),
        /** Its Ed25519 key: 32 bytes in base64, as the protocol's directory gives it. */
        verifyKey: z
          .string()
          .regex(/^[A-Za-z0-9+/]{43}=?$/, 'expected 32 bytes in base64')
          .refine((text) => Buffer.from(text, 'base64').length === 32, 'expected 32 bytes in base64'),
        /** Where it may be told of changes; the site calls no other address for it. */
        callbackOrigins: z
          .array(z.url({ protocol: /^https$/, error: 'expected an origin such as https://agent.example' }))
          .default([]),
      }),
    )
    .max(1_000),
  businesses: z
    .array(
      z.strictObject({
        /** The id by which agents address it. */
        id: z.string().min(1).max(100),
        /** The issuer that answers for the data. */
        issuer: memberIdSchema,
        /** The claim that holds the key by which the issuer knows a person: `email`, `phone_number`, or one of its own. */
        personClaim: z.string().min(1).max(60),
        /** Where people show who they are when the agent has not verified the claim. */
        verificationUrl: z.url({ protocol: /^https$/, error: 'expected an https address' }),
        /** Under which regimes requests are taken; one without a regime always is. */
        regimes: z.array(z.string().min(1).max(60)).default(['gdpr', 'ccpa']),
      }),
    )
    .max(1_000),
  /** Whether an agent may be told at an address of the local network or of this machine. */
  mayCallPrivateAddresses: z.boolean().default(false),
})
export type DataRightsSettings = z.infer<typeof dataRightsSettingsSchema>
export type Agent = DataRightsSettings['agents'][number]
export type Business = DataRightsSettings['businesses'][number]

/** An agent's key in our own form. */
export function keyOfAgent({ verifyKey }: Agent): PublicJwk {
  return { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(verifyKey, 'base64').toString('base64url') }
}
