import { z } from 'zod'
import { parseInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import { equalBytes } from '../../kernel/digest.ts'
import type { Checkpoint } from './checkpoint.ts'
import { decodeBase64 } from './note-key.ts'

/**
 * What a rotation says of the log that its key signed: how long it was then, and its root. Whoever the old key leaks to
 * later can sign what they like with it, and nothing that is in this tree (docs/decisions/0032).
 */

/** The whole log of a signer, in the statement by which its key is replaced; `root` is 32 bytes in base64. */
export const logPositionSchema = z.strictObject({
  size: z.int().min(0),
  root: z.string().refine((text) => decodeBase64(text)?.length === 32, 'expected 32 bytes in base64'),
})
export type LogPosition = z.infer<typeof logPositionSchema>

/** A key that signs no longer. */
export interface RetiredKey {
  readonly key: PublicJwk
  /** When it was replaced, as the statement says; absent where that is no time. */
  readonly at: Instant | undefined
  /** The log that it signed; absent in statements from before they told it. */
  readonly log: LogPosition | undefined
}

/** A key with what the statement that replaced it says. */
export function retiredKey(
  key: PublicJwk,
  statement: { time: string; log?: LogPosition | undefined },
): RetiredKey {
  return { key, at: parseInstant(statement.time), log: statement.log }
}

/** Whether a receipt can have been signed while the key was in force, by its place in the log and its date. */
export function isBeforeRetirement(
  { at, log }: RetiredKey,
  receipt: { readonly sequence: number; readonly time: Instant },
): boolean {
  return (log === undefined || receipt.sequence < log.size) && (at === undefined || receipt.time <= at)
}

/**
 * Whether a checkpoint that a retired key signed is of the log that it left. `contradicts` what the statement says; or is
 * that very tree (`whole`); or a smaller one, of which the statement proves nothing (`smaller`); or nothing was said (`unknown`).
 */
export function placeOfCheckpoint(
  { log }: RetiredKey,
  { size, root }: Checkpoint,
): 'contradicts' | 'whole' | 'smaller' | 'unknown' {
  if (!log) return 'unknown'
  if (size < log.size) return 'smaller'
  const isSame = size === log.size && equalBytes(root, decodeBase64(log.root) ?? new Uint8Array())
  return isSame ? 'whole' : 'contradicts'
}
