import { Fault } from '../../kernel/faults.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import { peekJws } from '../../kernel/crypto/jws.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import { logOrigin, openCheckpoint } from '../../protocol/proof/checkpoint.ts'
import type { Checkpoint } from '../../protocol/proof/checkpoint.ts'
import { isReplaced } from '../../protocol/proof/key-chain.ts'
import { isConsistent } from '../../protocol/proof/merkle.ts'
import { receiptSchema } from '../../protocol/proof/receipt.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import type { WitnessLine } from './show-witness.ts'

interface ContinuedParts {
  readonly site: string
  /** The key that the log of this site is signed with, and those that it was signed with before. */
  readonly keys: { readonly present: PublicJwk; readonly former: readonly PublicJwk[] }
  readonly log: Pick<ReceiptLog, 'checkpoint' | 'list' | 'witnessing'>
  readonly line: Pick<WitnessLine, 'witnessed' | 'rotations'>
}

/**
 * Sees to it that this log goes on from what the witness saw of it. One that does not is an older copy of the site that was put back
 * as it was, or there are two sites of one copy: people would be back who were erased, grants that were withdrawn, and the guard
 * would have forgotten what acquirers know. Only what this site has signed counts, so no network can make it up: a checkpoint; or, where the
 * copy is from before a rotation of its keys and knows none of the later ones, the rotation. What a restore has declared to be missing is
 * not held against it.
 *
 * @throws Fault `fault.log_behind`
 */
export async function requireContinued({ site, keys, log, line }: ContinuedParts): Promise<void> {
  if (isReplaced(site, keys.present, await line.rotations())) {
    throw new Fault('fault.log_behind', {
      what: 'The keys of this site were replaced, by a statement that its present key signed, and this copy of it has not got the new ones',
    })
  }
  const ofLog = { origin: logOrigin(site), keys: [keys.present, ...keys.former] }
  const seen = openCheckpoint((await line.witnessed()) ?? '', ofLog)
  if (!seen) return
  const own = openCheckpoint((await log.checkpoint()) ?? '', ofLog)
  if (own && own.size >= seen.size && (await isBeginning(seen, own, log))) return
  if (seen.size <= (await declaredSize(log))) return
  throw new Fault('fault.log_behind', {
    what: `The witness has seen ${seen.size} receipts of this site that are not the beginning of the ${own?.size ?? 0} in its log`,
  })
}

async function isBeginning(
  seen: Checkpoint,
  own: Checkpoint,
  log: Pick<ReceiptLog, 'witnessing'>,
): Promise<boolean> {
  const texts = seen.size === own.size ? [] : await log.witnessing.consistency(seen.size, own.size)
  const proof = texts.map((text) => Uint8Array.fromBase64(text))
  return isConsistent({ size1: seen.size, size2: own.size, root1: seen.root, root2: own.root, proof })
}

/** Restores at once; a site has few. */
const RESTORES_MAX = 1_000

/** How long the log was by what restores with a declared gap knew of it. */
async function declaredSize(log: Pick<ReceiptLog, 'list'>): Promise<number> {
  const rows = await log.list({ after: -1, limit: RESTORES_MAX, kind: 'restore' })
  const sizes = rows.map(({ jws }) => {
    const { logKnown = 0, logMissing = 0 } =
      receiptSchema.safeParse(parseJson(peekJws(jws)?.payload ?? '')).data ?? {}
    return logMissing > 0 ? logKnown + logMissing : 0
  })
  return Math.max(0, ...sizes)
}
