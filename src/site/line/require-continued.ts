import { Fault } from '../../kernel/faults.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import { peekJws } from '../../kernel/crypto/jws.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import { logOrigin, openCheckpoint } from '../../protocol/proof/checkpoint.ts'
import type { Checkpoint } from '../../protocol/proof/checkpoint.ts'
import { isConsistent } from '../../protocol/proof/merkle.ts'
import { receiptSchema } from '../../protocol/proof/receipt.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import type { WitnessLine } from './show-witness.ts'

interface ContinuedParts {
  readonly site: string
  /** Every key that the log of this site is and was signed with. */
  readonly keys: readonly PublicJwk[]
  readonly log: Pick<ReceiptLog, 'checkpoint' | 'list' | 'witnessing'>
  readonly line: Pick<WitnessLine, 'witnessed'>
}

/**
 * Sees to it that this log goes on from what the witness saw of it. One that does not is an older copy of the site that was put back
 * as it was, or there are two sites of one copy: people would be back who were erased, grants that were withdrawn, and the guard
 * would have forgotten what acquirers know. Only a checkpoint that this site has signed counts, so no network can make one up. What a restore
 * has declared to be missing is not held against it.
 *
 * @throws Fault `fault.log_behind`
 */
export async function requireContinued({ site, keys, log, line }: ContinuedParts): Promise<void> {
  const origin = logOrigin(site)
  const seen = openCheckpoint((await line.witnessed()) ?? '', { origin, keys })
  if (!seen) return
  const own = openCheckpoint((await log.checkpoint()) ?? '', { origin, keys })
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
