import type { z } from 'zod'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import { signJws, verifyJws } from '../../kernel/crypto/jws.ts'
import { keyIdOf } from '../../kernel/crypto/keys.ts'
import type { KeyPair, PublicJwk } from '../../kernel/crypto/keys.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import type { LogPosition } from './retired-key.ts'

/*
 * The statement by which a key is replaced, of a member, a site or a network: a compact JWS over canonical JSON, signed with the key
 * that it replaces. `typ` and the name in it say whose it is.
 */

/** Signs a statement; without `log` it has none, as those of members. */
export function signRotation<W extends object>(
  { log, ...wire }: W & { readonly log?: LogPosition | undefined },
  { typ, key }: { typ: string; key: KeyPair },
): string {
  return signJws(canonicalJson({ ...wire, ...(log ? { log } : {}) }), { typ, key })
}

/** What a statement says, if this key signed it and it is of this form. */
export function openRotation<S extends z.ZodType>(
  rotation: string,
  { typ, schema, signing }: { typ: string; schema: S; signing: PublicJwk },
): z.infer<S> | undefined {
  const verified = verifyJws(rotation, {
    typ,
    keyFor: (keyId) => (keyId === keyIdOf(signing) ? signing : undefined),
  })
  return verified.ok ? schema.safeParse(parseJson(verified.value.payload)).data : undefined
}
