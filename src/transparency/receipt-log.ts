import { join } from 'node:path'
import { canonicalJson } from '../kernel/canonical-json.ts'
import { formatInstant } from '../kernel/clock.ts'
import type { Clock, Instant } from '../kernel/clock.ts'
import { signManyJws } from '../kernel/crypto/jws.ts'
import type { KeyPair, PublicJwk } from '../kernel/crypto/keys.ts'
import { digestOf } from '../kernel/digest.ts'
import type { Digest } from '../kernel/digest.ts'
import { Fault } from '../kernel/faults.ts'
import type { Database, DatabaseTransaction } from '../kernel/postgres/database.ts'
import { logOrigin } from '../protocol/proof/checkpoint.ts'
import type { ReceiptBundle } from '../protocol/decision.ts'
import { proveConsistency, proveInclusion } from '../protocol/proof/merkle.ts'
import type { Subtree } from '../protocol/proof/merkle.ts'
import { TYP } from '../protocol/proof/message-types.ts'
import type { ReceiptDraft, ReceiptKind } from '../protocol/proof/receipt.ts'
import { TILE_WIDTH, bundleBytes, parseTilePath, tileOf, tileWidth } from '../protocol/proof/tiles.ts'
import { Publisher } from './publisher.ts'
import { WitnessedCheckpoints } from './witnessed-checkpoints.ts'
import type { Published } from './publisher.ts'
import {
  damaged,
  insertReceipts,
  isRenumbered,
  listReceipts,
  lockSequence,
  nextSequence,
  readReceipts,
  takeSequence,
} from './receipt-store.ts'
import type { ReceiptRow } from './receipt-store.ts'
import { TileFiles } from './tile-files.ts'

/** A receipt with its place in the log. */
export interface IssuedReceipt {
  readonly sequence: number
  readonly jws: string
  /** The digest of the JWS, to refer to it by. */
  readonly digest: Digest
}

/**
 * A server's transparency log: what it decided and did, signed, in order, never changed. The record in PostgreSQL is
 * the truth; tiles and checkpoint on the disk follow from it.
 */
export interface ReceiptLog {
  /**
   * Signs receipts and adds them within the caller's transaction, so that a decision and its receipt are one step.
   * Call it late in the transaction: until that ends, nobody else can issue.
   */
  issue(tx: DatabaseTransaction, drafts: readonly ReceiptDraft[]): Promise<readonly IssuedReceipt[]>
  /**
   * Signs receipts for one statement that adds them with all else that it makes true, by `issue_receipts`: with the numbers that
   * should come next, so that the statement is the whole transaction; where others took those, once more under the lock.
   */
  issueBy(
    drafts: readonly ReceiptDraft[],
    write: (on: Database, receipts: readonly IssuedReceipt[]) => Promise<unknown>,
  ): Promise<readonly IssuedReceipt[]>
  /**
   * The same in halves, for a caller that takes the numbers and adds the receipts in statements of its own, with whatever else they do:
   * signs receipts that are numbered from `first` on.
   */
  sign(first: number, drafts: readonly ReceiptDraft[]): Promise<readonly IssuedReceipt[]>
  /** The number that the next receipt should have, to sign one before it is taken: a guess that is wrong when others issue. */
  expectedNext(): number
  /** The number that the next receipt has by the record, where a guess was wrong; by the time it is used it may be wrong too. */
  nextByRecord(): Promise<number>
  /** Receipts that were signed by `sign` and are not going to be: whoever guesses next guesses their numbers again. */
  unused(receipts: readonly IssuedReceipt[]): void
  /** Receipts that were signed by `sign` and are committed now, so that a proof of them needs no reading. */
  committed(receipts: readonly IssuedReceipt[]): void
  /** Everything that was committed before the call is on the disk under a signed checkpoint when it resolves. */
  publish(): Promise<void>
  /** One receipt that is committed, and all before it, are on the disk under a signed checkpoint when it resolves: at once where they are. */
  publishOver(sequence: number): Promise<void>
  /** A receipt with its proof, for somebody to verify off line; publishes first if need be. Throws `fault.not_found`. */
  bundle(sequence: number): Promise<ReceiptBundle>
  /** Receipts after the number `after` (-1: from the beginning), oldest first. */
  list(page: { after: number; limit: number; kind?: ReceiptKind | undefined }): Promise<readonly ReceiptRow[]>
  /** The bytes at a path of tlog-tiles, as far as they are published. */
  readTile(path: string): Promise<Uint8Array | undefined>
  /** The signed checkpoint; `undefined` before the first receipt. With its cosignatures, once it has some. */
  checkpoint(): Promise<string | undefined>
  readonly witnessing: Witnessing
}

/** What having a log witnessed needs of it. */
export interface Witnessing {
  /** Checkpoints under which receipts were handed out since this was asked before, and the newest, by size. */
  due(): readonly Published[]
  /** Shows that the log of `size1` leaves is the beginning of that of `size2` (RFC 9162 §2.1.4), in base64. */
  consistency(size1: number, size2: number): Promise<readonly string[]>
  /** A witness has signed a checkpoint: from now on it is served so, and what it covers is proven by it. */
  cosigned(checkpoint: Published): void
}

export interface ReceiptLogParts {
  readonly db: Database
  /** The server's directory; the log's files lie in `log` below it. */
  readonly directory: string
  /** Who signs receipts and checkpoints. `formerKeys` are those it signed with before. */
  readonly signer: {
    readonly name: string
    readonly key: KeyPair
    readonly formerKeys?: readonly PublicJwk[] | undefined
  }
  readonly clock: Clock
}

/**
 * Opens the log and publishes what a crash may have left unpublished.
 *
 * @throws Fault `fault.log_damaged` when record, tiles and checkpoint do not tell one story
 */
export async function openReceiptLog({ db, directory, signer, clock }: ReceiptLogParts): Promise<ReceiptLog> {
  const origin = logOrigin(signer.name)
  const files = new TileFiles(join(directory, 'log'))
  const publisher = new Publisher({ db, files, origin, key: signer.key, formerKeys: signer.formerKeys ?? [] })
  await publisher.publish()
  let next = publisher.published?.size ?? 0
  const witnessed = new WitnessedCheckpoints(publisher)
  const sign = (first: number, drafts: readonly ReceiptDraft[], time: Instant) => {
    next = first + drafts.length
    return signDrafts(drafts, { first, time, signer })
  }
  const committed = ([first, ...more]: readonly IssuedReceipt[]) => {
    if (first)
      publisher.committed(
        first.sequence,
        [first, ...more].map(({ jws }) => jws),
      )
  }
  return {
    issue: (tx, drafts) => issue(tx, { drafts, sign, clock }),
    issueBy: async (drafts, write) => {
      const signFrom = (first: number) => sign(first, drafts, clock.now())
      const receipts = await issueBy(db, { expected: next, signFrom, write })
      committed(receipts)
      return receipts
    },
    sign: (first, drafts) => sign(first, drafts, clock.now()),
    expectedNext: () => next,
    nextByRecord: () => nextSequence(db),
    unused: ([first, ...more]) => {
      if (first && next === first.sequence + more.length + 1) next = first.sequence
    },
    committed,
    publish: () => publisher.publish(),
    publishOver: async (sequence) => {
      await publishedOver(sequence, publisher)
    },
    bundle: (sequence) => bundle(sequence, { db, publisher, witnessed, origin }),
    list: (page) => listReceipts(db, page),
    readTile: (path) => readTile(path, { db, publisher, files }),
    checkpoint: () => Promise.resolve(witnessed.served()?.note),
    witnessing: {
      due: () => witnessed.due(),
      cosigned: (checkpoint) => witnessed.cosigned(checkpoint),
      consistency: (size1, size2) => consistency({ size1, size2 }, publisher),
    },
  }
}

/** Receipts that are signed together while those before are being inserted. */
const CHUNK = 256

async function issue(
  tx: DatabaseTransaction,
  { drafts, sign, clock }: { drafts: readonly ReceiptDraft[]; sign: SignFrom; clock: Clock },
): Promise<readonly IssuedReceipt[]> {
  if (drafts.length === 0) return []
  const first = await takeSequence(tx, drafts.length)
  const time = clock.now()
  const issued: IssuedReceipt[] = []
  const inserts: Promise<void>[] = []
  try {
    for (let start = 0; start < drafts.length; start += CHUNK) {
      const some = drafts.slice(start, start + CHUNK)
      const signed = await sign(first + start, some, time)
      const insert = insertReceipts(tx, {
        first: first + start,
        kinds: some.map(({ kind }) => kind),
        texts: signed.map(({ jws }) => jws),
      })
      // Looked at below; until then a failure must not count as one that nobody looks at.
      insert.catch(() => undefined)
      inserts.push(insert)
      issued.push(...signed)
    }
  } finally {
    await Promise.allSettled(inserts)
  }
  await Promise.all(inserts)
  return issued
}

async function issueBy(
  db: Database,
  {
    expected,
    signFrom,
    write,
  }: {
    expected: number
    signFrom: (first: number) => Promise<readonly IssuedReceipt[]>
    write: (on: Database, receipts: readonly IssuedReceipt[]) => Promise<unknown>
  },
): Promise<readonly IssuedReceipt[]> {
  const guessed = await signFrom(expected)
  try {
    await write(db, guessed)
    return guessed
  } catch (error) {
    if (!isRenumbered(error)) throw error
  }
  return db.transaction().execute(async (tx) => {
    const receipts = await signFrom(await lockSequence(tx))
    await write(tx, receipts)
    return receipts
  })
}

type SignFrom = (
  first: number,
  drafts: readonly ReceiptDraft[],
  time: Instant,
) => Promise<readonly IssuedReceipt[]>

async function signDrafts(
  drafts: readonly ReceiptDraft[],
  { first, time, signer }: { first: number; time: Instant; signer: ReceiptLogParts['signer'] },
): Promise<readonly IssuedReceipt[]> {
  const formatted = formatInstant(time)
  const payloads = drafts.map((draft, index) =>
    canonicalJson({ ...draft, site: signer.name, sequence: first + index, time: formatted }),
  )
  const texts = await signManyJws(payloads, { typ: TYP.receipt, key: signer.key })
  return texts.map((jws, index) => ({ sequence: first + index, jws, digest: digestOf(jws) }))
}

async function bundle(
  sequence: number,
  {
    db,
    publisher,
    witnessed,
    origin,
  }: { db: Database; publisher: Publisher; witnessed: WitnessedCheckpoints; origin: string },
): Promise<ReceiptBundle> {
  if (!isPlace(sequence)) throw notFound(sequence)
  const published = witnessed.over(sequence) ?? witnessed.handOut(await publishedOver(sequence, publisher))
  const jws =
    publisher.recentText(sequence) ?? (await readReceipts(db, { start: sequence, end: sequence + 1 }))[0]
  if (jws === undefined) throw damaged(`receipt ${sequence} is missing in the record`)
  const proof = await proveInclusion({ index: sequence, size: published.size }, (subtree) =>
    readNode(subtree, publisher),
  )
  return {
    receipt: jws,
    log: {
      origin,
      index: sequence,
      inclusionProof: proof.map((hash) => hash.toBase64()),
      checkpoint: published.note,
    },
  }
}

async function consistency(
  sizes: { size1: number; size2: number },
  publisher: Publisher,
): Promise<readonly string[]> {
  const proof = await proveConsistency(sizes, (subtree) => readNode(subtree, publisher))
  return proof.map((hash) => hash.toBase64())
}

async function publishedOver(sequence: number, publisher: Publisher): Promise<Published> {
  const isOver = (published: Published | undefined): published is Published =>
    published !== undefined && sequence < published.size
  if (!isOver(publisher.published)) await publisher.publishCommitted()
  if (!isOver(publisher.published)) await publisher.publish()
  const published = publisher.published
  if (isOver(published)) return published
  throw notFound(sequence)
}

function isPlace(sequence: number): boolean {
  return Number.isSafeInteger(sequence) && sequence >= 0
}

function notFound(sequence: number): Fault {
  return new Fault('fault.not_found', { what: `Cannot find receipt ${sequence}` })
}

async function readNode(subtree: Subtree, publisher: Publisher): Promise<Uint8Array> {
  const { level, index, height, offset } = tileOf(subtree)
  const hash = (await publisher.tile({ level, index }))?.node(height, offset)
  if (!hash) throw damaged(`tile ${index} of level ${level} is missing on the disk`)
  return hash
}

async function readTile(
  path: string,
  { db, publisher, files }: { db: Database; publisher: Publisher; files: TileFiles },
): Promise<Uint8Array | undefined> {
  const name = parseTilePath(path)
  const size = publisher.published?.size ?? 0
  if (!name || tileWidth({ ...name, size }) < name.width) return undefined
  if (name.level !== 'entries')
    return (await publisher.tile({ level: name.level, index: name.index }))?.toBytes(name.width)
  if (name.width === TILE_WIDTH) return files.readTile(name)
  // A bundle that is filling would be written anew with every receipt; it is made when somebody asks for it.
  const start = name.index * TILE_WIDTH
  const texts = await readReceipts(db, { start, end: start + name.width })
  return bundleBytes(texts.map((text) => new TextEncoder().encode(text)))
}
