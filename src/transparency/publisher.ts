import { onceUnderWay } from '../kernel/clock.ts'
import type { KeyPair, PublicJwk } from '../kernel/crypto/keys.ts'
import { equalBytes } from '../kernel/digest.ts'
import type { Database } from '../kernel/postgres/database.ts'
import { faultOf } from '../kernel/postgres/fault-of.ts'
import { openCheckpoint, signCheckpoint } from '../protocol/proof/checkpoint.ts'
import type { Checkpoint } from '../protocol/proof/checkpoint.ts'
import { leafHash } from '../protocol/proof/merkle.ts'
import { TILE_WIDTH, Tile, bundleBytes, tileWidth } from '../protocol/proof/tiles.ts'
import type { TileName } from '../protocol/proof/tiles.ts'
import { LogTree } from './log-tree.ts'
import type { TileFile } from './log-tree.ts'
import { countReceipts, damaged, readReceipts } from './receipt-store.ts'
import type { TileFiles } from './tile-files.ts'

/** What is published: everything below `size`, under this signed note. */
export interface Published {
  readonly size: number
  readonly note: string
}

export interface PublisherParts {
  readonly db: Database
  readonly files: TileFiles
  readonly origin: string
  readonly key: KeyPair
  /** Keys that this log signed with before the present one. */
  readonly formerKeys: readonly PublicJwk[]
}

/** Receipts that are taken into memory at once; a backlog after a long outage is published in several steps. */
const STEP_RECEIPTS = 16_384
const utf8 = new TextEncoder()

/**
 * Brings the files of a log up to its record, by group commit: whoever asks while a round runs is served by the next
 * one. The tiles of a round are on the disk before its checkpoint is seen.
 */
export class Publisher {
  readonly #parts: PublisherParts
  #running: Promise<void> = Promise.resolve()
  #waiting: Promise<void> | undefined
  #state: State | undefined
  /** Whether the next round has to look into the record for what else was committed. */
  #readsRecord = false
  readonly #committed = new CommittedTexts()
  /** After a round that failed the next one goes on from what is on the disk. */
  #isStale = true

  constructor(parts: PublisherParts) {
    this.#parts = parts
  }

  /** Receipts that are committed, by whoever committed them: they need not be read back. */
  committed(first: number, texts: readonly string[]): void {
    this.#committed.add(first, texts)
  }

  /** Everything that was committed before the call is published when it resolves. */
  publish(): Promise<void> {
    this.#readsRecord = true
    return this.publishCommitted()
  }

  /** The same of what `committed` was told, if nothing that it was not told lies before. */
  publishCommitted(): Promise<void> {
    this.#waiting ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#waiting = undefined
        const round = this.#round()
        // What was outgrown is removed when whoever waited has gone on.
        this.#running = round.then(() => this.#tidy())
        this.#running.catch(() => undefined)
        return round
      })
    return this.#waiting
  }

  get published(): Published | undefined {
    return this.#state?.published
  }

  /** A tile as far as it is published, from memory or disk. */
  async tile({ level, index }: { level: number; index: number }): Promise<Tile | undefined> {
    const atEdge = this.#state?.tree.edgeTile({ level, index })
    if (atEdge) return atEdge
    const name: TileName = { level, index, width: TILE_WIDTH }
    const kept = this.#state?.full.get(`${level}/${index}`)
    if (kept) return kept
    const bytes = await this.#parts.files.readTile(name)
    const tile = bytes && Tile.fromBytes(bytes)
    if (tile) this.#state?.keep(name, tile)
    return tile
  }

  /** The text of a receipt that was published lately, without asking the record again. */
  recentText(sequence: number): string | undefined {
    const state = this.#state
    return state?.recent[sequence - (state.published?.size ?? 0) + state.recent.length]
  }

  async #round(): Promise<void> {
    const { files } = this.#parts
    try {
      const readsRecord = this.#readsRecord
      this.#readsRecord = false
      const state = this.#isStale || !this.#state ? await this.#resume() : this.#state
      this.#state = state
      this.#isStale = false
      for (;;) {
        const start = state.tree.size
        const texts = await this.#nextTexts(start, readsRecord)
        if (texts.length === 0) return
        this.#requireUnchanged(state)
        const tiles = await this.#grow(state, texts)
        const note = signCheckpoint(
          { origin: this.#parts.origin, size: state.tree.size, root: state.tree.root() },
          this.#parts.key,
        )
        await files.writeCheckpoint(note, tiles)
        state.published = { size: state.tree.size, note }
        state.recent = texts.slice(-RECENT_TEXTS)
        if (texts.length < STEP_RECEIPTS) return
      }
    } catch (error) {
      this.#isStale = true
      throw faultOf(error, 'Cannot publish receipts')
    }
  }

  /** What follows in the log: from the record, unless only what was told to be committed is wanted and lies next. */
  async #nextTexts(start: number, readsRecord: boolean): Promise<readonly string[]> {
    const told = readsRecord ? [] : this.#committed.from(start)
    const texts =
      told.length > 0 ? told : await readReceipts(this.#parts.db, { start, end: start + STEP_RECEIPTS })
    this.#committed.forgetUntil(start + texts.length)
    return texts
  }

  /** Adds receipts to the tree; gives every tile and bundle that the next checkpoint stands on. */
  async #grow(state: State, texts: readonly string[]): Promise<readonly TileFile[]> {
    const entries = texts.map((text) => utf8.encode(text))
    const first = state.tree.size
    const hashes = state.tree.append(entries)
    // At once, before anything is awaited: a proof that is being made now finds them neither at the edge nor on the disk.
    for (const { name, bytes } of hashes) {
      const tile = Tile.fromBytes(bytes)
      if (tile) state.keep(name, tile)
    }
    const bundles: TileFile[] = []
    for (
      let index = Math.floor(first / TILE_WIDTH);
      (index + 1) * TILE_WIDTH <= state.tree.size;
      index += 1
    ) {
      bundles.push({
        name: { level: 'entries', index, width: TILE_WIDTH },
        bytes: bundleBytes(await this.#bundle(index, { first, entries })),
      })
    }
    const grown = state.tree
      .edgeTiles()
      .filter(({ name }) => !state.partials.some((other) => isSameTile(name, other)))
    return [...bundles, ...hashes, ...grown]
  }

  /** The entries of a full bundle: those before this round come from the record. */
  async #bundle(
    index: number,
    { first, entries }: { first: number; entries: readonly Uint8Array[] },
  ): Promise<readonly Uint8Array[]> {
    const start = index * TILE_WIDTH
    const earlier = start < first ? await readReceipts(this.#parts.db, { start, end: first }) : []
    return [
      ...earlier.map((text) => utf8.encode(text)),
      ...entries.slice(Math.max(0, start - first), start + TILE_WIDTH - first),
    ]
  }

  /** Somebody else's checkpoint on the disk would mean two writers: then nothing may be signed. */
  #requireUnchanged(state: State): void {
    const onDisk = this.#parts.files.readCheckpoint()
    if (onDisk !== state.published?.note)
      throw damaged('the checkpoint on the disk was changed by something else')
  }

  /** Removes the shorter forms of tiles that have grown. A reader of the older checkpoint is given them from the longer. */
  async #tidy(): Promise<void> {
    await onceUnderWay()
    const state = this.#state
    if (!state) return
    const now = state.tree.edgeTiles().map(({ name }) => name)
    const outgrown = state.partials.filter((name) => !now.some((other) => isSameTile(name, other)))
    if (this.#isStale) return
    state.partials = now
    await Promise.all(
      outgrown.map((name) => {
        const isFull = tileWidth({ ...name, size: state.tree.size }) === TILE_WIDTH
        return this.#parts.files.removePartial(isFull ? { ...name, width: TILE_WIDTH } : name)
      }),
    )
  }

  /** Goes on from what is on the disk, once it is clear that disk, checkpoint and record tell one story. */
  async #resume(): Promise<State> {
    const { files, origin, key, formerKeys, db } = this.#parts
    const note = files.readCheckpoint()
    if (note === undefined) {
      await files.prepare()
      return new State(new LogTree(), undefined)
    }
    const checkpoint = openCheckpoint(note, { origin, keys: [key.publicJwk, ...formerKeys] })
    if (!checkpoint) throw damaged('the checkpoint on the disk is not signed by this log')
    const tree = await LogTree.resume(checkpoint.size, (name) => files.readBeginning(name))
    if (!tree || !equalBytes(tree.root(), checkpoint.root))
      throw damaged('the tiles on the disk do not give the root of the checkpoint')
    await requireSameRecord(db, { tree, checkpoint })
    const isByPresentKey = openCheckpoint(note, { origin, keys: [key.publicJwk] }) !== undefined
    // What a former key signed would have to be shown to be from before it was replaced (docs/decisions/0032).
    const own = isByPresentKey ? note : signCheckpoint(checkpoint, key)
    if (!isByPresentKey) await files.writeCheckpoint(own, [])
    return new State(tree, { size: checkpoint.size, note: own })
  }
}

/** Texts that are remembered until they are published: those of a few hundred asks. */
const COMMITTED_KEPT_MAX = 1_024

/** Receipts that are known to be committed and are not published yet, by their numbers. */
class CommittedTexts {
  readonly #texts = new Map<number, string>()

  add(first: number, texts: readonly string[]): void {
    // Beyond that they are read back.
    if (this.#texts.size + texts.length > COMMITTED_KEPT_MAX) return
    for (const [index, text] of texts.entries()) this.#texts.set(first + index, text)
  }

  /** Those that follow one another from a number on. */
  from(start: number): readonly string[] {
    const texts: string[] = []
    for (let text = this.#texts.get(start); text !== undefined; text = this.#texts.get(start + texts.length))
      texts.push(text)
    return texts
  }

  forgetUntil(end: number): void {
    for (const sequence of this.#texts.keys()) if (sequence < end) this.#texts.delete(sequence)
  }
}

/** Whoever issued a receipt asks for its proof next. */
const RECENT_TEXTS = 512

/** Full tiles that are kept in memory for proofs: 128 of them take 2 MB. */
const FULL_TILES_KEPT = 128

class State {
  readonly tree: LogTree
  readonly full = new Map<string, Tile>()
  published: Published | undefined
  /** Tiles on the disk that are still filling. */
  partials: readonly TileName[]
  /** The last receipts that were published. */
  recent: readonly string[] = []

  constructor(tree: LogTree, published: Published | undefined) {
    this.tree = tree
    this.published = published
    this.partials = tree.edgeTiles().map(({ name }) => name)
  }

  keep({ level, index }: TileName, tile: Tile): void {
    const oldest = this.full.keys().next().value
    if (this.full.size >= FULL_TILES_KEPT && oldest !== undefined) this.full.delete(oldest)
    this.full.set(`${level}/${index}`, tile)
  }
}

function isSameTile(left: TileName, right: TileName): boolean {
  return left.level === right.level && left.index === right.index && left.width === right.width
}

/** The record must hold at least what was published, and its last part must hash to the tile at the edge. */
async function requireSameRecord(
  db: Database,
  { tree, checkpoint }: { tree: LogTree; checkpoint: Checkpoint },
): Promise<void> {
  const count = await countReceipts(db)
  if (count < checkpoint.size) {
    throw damaged(`the checkpoint is over ${checkpoint.size} receipts, the record holds ${count}`)
  }
  const start = Math.floor(checkpoint.size / TILE_WIDTH) * TILE_WIDTH
  const texts = await readReceipts(db, { start, end: checkpoint.size })
  const edge = tree.edgeTile({ level: 0, index: start / TILE_WIDTH })
  for (const [offset, text] of texts.entries()) {
    const hash = edge?.node(0, offset)
    if (!hash || !equalBytes(hash, leafHash(utf8.encode(text))))
      throw damaged(`receipt ${start + offset} in the record is not the one that was published`)
  }
}
