import { digestOfJson } from '../../kernel/digest.ts'
import { openSealed } from '../../kernel/crypto/jwe.ts'
import type { KeyPair } from '../../kernel/crypto/keys.ts'
import { parseJsonBytes } from '../../kernel/parse-json.ts'
import { ok } from '../../kernel/result.ts'
import { sealedQuestionSchema } from '../../protocol/ask.ts'
import type { Ask, Question } from '../../protocol/ask.ts'
import { TYP } from '../../protocol/proof/message-types.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'

/**
 * Opens the question that was sealed to this site and holds it against the digest in the signed ask. The digest is
 * over the question and its salt, so that nobody on the way can check a guess.
 */
export function openQuestion(
  ask: Ask,
  { site, keys }: { site: string; keys: readonly KeyPair[] },
): Outcome<Question> {
  const sealed = ask.question.sealed[site]
  const opened = sealed === undefined ? undefined : openWithAny(sealed, keys)
  if (!opened) {
    return declined('declined.signature', {
      detail: 'The question is not sealed to a key of this site',
    })
  }
  const parsed = sealedQuestionSchema.safeParse(parseJsonBytes(opened))
  if (!parsed.success)
    return declined('declined.sql_syntax', { detail: 'The sealed question is not of the form expected' })
  if (digestOfJson(parsed.data) !== ask.question.digest) {
    return declined('declined.signature', {
      detail: 'The sealed question is not the one whose digest was signed',
    })
  }
  return ok(parsed.data.question)
}

/** The present key first; one that was sealed before a rotation opens with the key of then. */
function openWithAny(sealed: string, keys: readonly KeyPair[]): Uint8Array | undefined {
  for (const key of keys) {
    const opened = openSealed(sealed, { key, typ: TYP.question })
    if (opened) return opened
  }
  return undefined
}
