import { z } from '@hono/zod-openapi'
import { canonicalJson } from '../kernel/canonical-json.ts'
import { signJws, verifyJws } from '../kernel/crypto/jws.ts'
import { keyIdOf } from '../kernel/crypto/keys.ts'
import type { KeyPair, PublicJwk } from '../kernel/crypto/keys.ts'
import { parseJson } from '../kernel/parse-json.ts'
import { TYP } from './proof/message-types.ts'
import {
  compactJwsSchema,
  digestSchema,
  instantSchema,
  isOneLine,
  memberIdSchema,
  nameSchema,
} from './wire.ts'

/** Characters of a text of terms: some forty pages. */
const TEXT_MAX = 200_000

/** A text of terms of use, as the operator publishes it; `from`: the moment from which it counts, at once unless told. */
export const newTermsSchema = z
  .strictObject({
    text: z
      .string('expected the text of the terms')
      .regex(/\S/, 'expected the text of the terms')
      .max(TEXT_MAX, `expected at most ${TEXT_MAX} characters`)
      // What is signed is what was read: nothing in it may show otherwise than it is.
      .refine(
        (text) => isOneLine(text.replaceAll(/[\n\r\t]/g, ' ')),
        'expected a text that shows as it is, without control characters or turned writing',
      ),
    from: instantSchema.optional(),
  })
  .openapi('NewTerms')

/** A version of the terms under which acquirers use a network. Texts are never changed. */
export const termsVersionSchema = z
  .strictObject({
    /** From 1 on. */
    version: z.int().min(1),
    digest: digestSchema,
    text: z.string(),
    from: instantSchema,
    publishedAt: instantSchema,
    /** `overtaken`: a newer one was published before it began to count, so that it never does. */
    state: z.enum(['coming', 'in_force', 'replaced', 'overtaken']),
  })
  .openapi('TermsVersion')
export type TermsVersion = z.infer<typeof termsVersionSchema>
export type TermsVersionMessage = z.input<typeof termsVersionSchema>

/** That a member accepted a version: a statement that it signed, which stands in a dispute (DGA Art. 12(f), (g)). */
export const acceptanceSchema = z
  .strictObject({
    member: memberIdSchema,
    version: z.int().min(1),
    terms: digestSchema,
    acceptedAt: instantSchema,
    statement: compactJwsSchema,
  })
  .openapi('TermsAcceptance')
export type Acceptance = z.infer<typeof acceptanceSchema>
export type AcceptanceMessage = z.input<typeof acceptanceSchema>

/** The payload of the statement. */
const statementSchema = z.strictObject({
  member: memberIdSchema,
  network: nameSchema,
  terms: digestSchema,
  time: instantSchema,
})
type Statement = z.input<typeof statementSchema>

/** Signs that a member accepts the terms of a network with this digest. */
export function signAcceptance(statement: Statement, key: KeyPair): string {
  return signJws(canonicalJson(statement), { typ: TYP.termsAcceptance, key })
}

/** What was accepted, if the statement is signed with the key and is of this member and network. */
export function readAcceptance(
  jws: string,
  { member, network, key }: { member: string; network: string; key: PublicJwk },
): z.output<typeof statementSchema> | undefined {
  const verified = verifyJws(jws, {
    typ: TYP.termsAcceptance,
    keyFor: (keyId) => (keyId === keyIdOf(key) ? key : undefined),
  })
  const parsed = verified.ok ? statementSchema.safeParse(parseJson(verified.value.payload)) : undefined
  if (!parsed?.success) return undefined
  return parsed.data.member === member && parsed.data.network === network ? parsed.data : undefined
}
