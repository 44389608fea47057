import { canonicalJson } from '../../kernel/canonical-json.ts'
import { formatInstant } from '../../kernel/clock.ts'
import { signJws, verifyJws } from '../../kernel/crypto/jws.ts'
import type { KeyPair, PublicJwk } from '../../kernel/crypto/keys.ts'
import { keyIdOf } from '../../kernel/crypto/keys.ts'
import { parseWith } from '../../kernel/parse.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import { evidenceSchema } from './evidence.ts'
import type { Evidence } from './evidence.ts'
import { TYP } from './message-types.ts'

/** Signs a statement of place with the operator's key of the site; gives a compact JWS over canonical JSON. */
export function signEvidence(evidence: Evidence, operatorKey: KeyPair): string {
  const wire = {
    ...evidence,
    validFrom: formatInstant(evidence.validFrom),
    validUntil: formatInstant(evidence.validUntil),
  }
  return signJws(canonicalJson(wire), { typ: TYP.evidence, key: operatorKey })
}

/** The statement inside, if the operator's key signed it; `undefined` for anything else. */
export function verifyEvidence(jws: string, operatorKey: PublicJwk): Evidence | undefined {
  const keyId = keyIdOf(operatorKey)
  const keyFor = (asked: string) => (asked === keyId ? operatorKey : undefined)
  const verified = verifyJws(jws, { typ: TYP.evidence, keyFor })
  if (!verified.ok) return undefined
  const parsed = parseWith(evidenceSchema, parseJson(verified.value.payload))
  return parsed.ok ? parsed.value : undefined
}
