import type { KeyPair, PublicJwk } from '../../kernel/crypto/keys.ts'
import { cosign, cosignaturesOf } from '../../protocol/proof/cosignature.ts'

/** By which a network cosigns, and by which it did before. */
export interface WitnessKeys {
  readonly name: string
  readonly key: KeyPair
  readonly formerKeys: readonly PublicJwk[]
}

/**
 * A cosignature that was kept, by the present key: what a former one signed shows nothing to whoever is given it, because that one may
 * have leaked since (docs/decisions/0032). The time stays, for it says what was seen then.
 */
export function byPresentKey(line: string, text: string, { name, key, formerKeys }: WitnessKeys): string {
  const former = formerKeys.map((one) => ({ name, key: one }))
  const [made] = former.length === 0 ? [] : (cosignaturesOf(`${text}\n${line}`, former) ?? [])
  return made ? cosign(text, { name, key, time: made.time }) : line
}
