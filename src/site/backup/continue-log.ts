import { sql } from 'kysely'
import { peekJws } from '../../kernel/crypto/jws.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import { equalBytes } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { logOrigin, openCheckpoint } from '../../protocol/proof/checkpoint.ts'
import type { Checkpoint } from '../../protocol/proof/checkpoint.ts'
import { receiptSchema } from '../../protocol/proof/receipt.ts'
import type { Receipt } from '../../protocol/proof/receipt.ts'
import { LogTree } from '../../transparency/log-tree.ts'
import { readReceipts } from '../../transparency/receipt-store.ts'
import { readArchive } from './receipt-archive.ts'
import type { Safe } from './safe.ts'

/** Receipts that are written, or hashed, at once. */
const PORTION = 5_000

/**
 * Adds the receipts that the safe has after those of a backup, so that the restored log goes on where the lost one
 * ended. What they say was acknowledged; what it did is not there. Gives the receipts that were added, read.
 */
export async function continueLog(
  db: Database,
  { safe, logSize }: { safe: Safe; logSize: number },
): Promise<readonly Receipt[]> {
  const added: Receipt[] = []
  let held: { kind: string; jws: string }[] = []
  const write = async () => {
    if (held.length === 0) return
    const first = logSize + added.length - held.length
    await sql`
      insert into receipt (sequence, kind, jws)
      select ${first}::bigint + place - 1, kind, jws
      from unnest(${held.map(({ kind }) => kind)}::text[], ${held.map(({ jws }) => jws)}::text[])
        with ordinality as given (kind, jws, place)`.execute(db)
    held = []
  }
  for await (const jws of readArchive(safe, logSize)) {
    const receipt = readReceipt(jws)
    if (receipt?.sequence !== logSize + added.length)
      throw new Fault('fault.backup_safe', {
        what: `The safe has something else where receipt ${logSize + added.length} should be`,
      })
    added.push(receipt)
    held.push({ kind: receipt.kind, jws })
    if (held.length === PORTION) await write()
  }
  await write()
  await sql`
    update receipt_counter set next_sequence = greatest(next_sequence, ${logSize + added.length})`.execute(db)
  return added
}

function readReceipt(jws: string): Receipt | undefined {
  return receiptSchema.safeParse(parseJson(peekJws(jws)?.payload ?? '')).data
}

/** What is known of how long the log was. */
export interface LogProof {
  /** Receipts that are there. */
  readonly logKnown: number
  /** How many more a checkpoint tells of. */
  readonly logMissing: number
  /** Sizes at which a checkpoint that the site had signed has the root that the receipts give. */
  readonly checkpoints: readonly number[]
}

/**
 * Proves that the receipts in the record are those that the site had signed checkpoints over: one tree has all of their
 * roots, so that each is consistent with the next (RFC 6962 §2.1.2) and no receipt was lost, changed or put in between.
 *
 * @throws Fault `fault.log_damaged` when a root is another, `fault.backup_damaged` when a checkpoint is not the site's
 */
export async function proveLog(
  db: Database,
  { site, keys, notes }: { site: string; keys: readonly PublicJwk[]; notes: readonly string[] },
): Promise<LogProof> {
  const checkpoints = notes
    .map((note) => checkpointOf(note, { site, keys }))
    .toSorted((left, right) => left.size - right.size)
  const tree = new LogTree()
  const utf8 = new TextEncoder()
  const proven: number[] = []
  const ends = [...checkpoints.map(({ size }) => size), Infinity]
  for (const [index, end] of ends.entries()) {
    while (tree.size < end) {
      const texts = await readReceipts(db, {
        start: tree.size,
        end: Math.min(end, tree.size + PORTION, Number.MAX_SAFE_INTEGER),
      })
      if (texts.length === 0) break
      tree.append(texts.map((text) => utf8.encode(text)))
    }
    const checkpoint = checkpoints[index]
    if (!checkpoint || checkpoint.size > tree.size) continue
    if (!equalBytes(tree.root(), checkpoint.root))
      throw new Fault('fault.log_damaged', {
        what: `The receipts do not give the root that the site signed at size ${checkpoint.size}`,
      })
    proven.push(checkpoint.size)
  }
  const longest = checkpoints.at(-1)?.size ?? 0
  return {
    logKnown: tree.size,
    logMissing: Math.max(0, longest - tree.size),
    checkpoints: [...new Set(proven)],
  }
}

function checkpointOf(
  note: string,
  { site, keys }: { site: string; keys: readonly PublicJwk[] },
): Checkpoint {
  const checkpoint = openCheckpoint(note, { origin: logOrigin(site), keys })
  if (checkpoint) return checkpoint
  throw new Fault('fault.backup_damaged', {
    what: 'A checkpoint is not signed with a key of the site in the backup; after a rotation of keys a newer backup is needed',
  })
}
