import { foldSubtrees, leafHash, subtreesOf } from '../protocol/proof/merkle.ts'
import type { Subtree } from '../protocol/proof/merkle.ts'
import { TILE_WIDTH, Tile, tileOf, tilePath, tileWidth } from '../protocol/proof/tiles.ts'
import type { TileName } from '../protocol/proof/tiles.ts'

/** A tile that has to be on the disk before a checkpoint over it may be. */
export interface TileFile {
  readonly name: TileName
  readonly bytes: Uint8Array
}

/**
 * The right edge of a log's tree in memory: of each level of tiles the one that is filling. That is all it takes to
 * add leaves and to know the root, whatever the size: at most 6 tiles of 8 kB.
 */
export class LogTree {
  #size = 0
  readonly #edge: Tile[] = []

  /** Goes on from the edge of a tree of `size` leaves; `readTile` gives the bytes of the tiles that are filling. */
  static async resume(
    size: number,
    readTile: (name: TileName) => Promise<Uint8Array | undefined>,
  ): Promise<LogTree | undefined> {
    const tree = new LogTree()
    for (let level = 0; size >= TILE_WIDTH ** level; level += 1) {
      const nodes = Math.floor(size / TILE_WIDTH ** level)
      const name = { level, index: Math.floor(nodes / TILE_WIDTH), width: nodes % TILE_WIDTH }
      const bytes = name.width === 0 ? undefined : await readTile(name)
      const tile = name.width === 0 ? new Tile() : bytes && Tile.fromBytes(bytes)
      if (tile?.width !== name.width) return undefined
      tree.#edge.push(tile)
    }
    tree.#size = size
    return tree
  }

  get size(): number {
    return this.#size
  }

  /** Adds entries; gives the tiles that are full now. */
  append(entries: readonly Uint8Array[]): readonly TileFile[] {
    const full: TileFile[] = []
    for (const entry of entries) {
      this.#size += 1
      this.#add(0, leafHash(entry), full)
    }
    return full
  }

  /** The tiles that are filling, as far as they are. */
  edgeTiles(): readonly TileFile[] {
    return this.#edge.flatMap((tile, level) => {
      const name = this.#edgeName(level)
      return tile.width === 0 ? [] : [{ name, bytes: tile.toBytes() }]
    })
  }

  /** The tile that is filling at a level, if `index` is that one's. */
  edgeTile({ level, index }: { level: number; index: number }): Tile | undefined {
    return this.#edgeName(level).index === index ? this.#edge[level] : undefined
  }

  root(): Uint8Array {
    return foldSubtrees(subtreesOf(0, this.#size).map((subtree) => this.#node(subtree)))
  }

  /** The subtrees of a tree's root all end in the edge: each has its hash in the tile that is filling. */
  #node(subtree: Subtree): Uint8Array {
    const { level, height, offset } = tileOf(subtree)
    const hash = this.#edge[level]?.node(height, offset)
    if (!hash)
      throw new RangeError(`Cannot find subtree ${subtree.index} of level ${subtree.level} at the edge`)
    return hash
  }

  #add(level: number, hash: Uint8Array, full: TileFile[]): void {
    const tile = (this.#edge[level] ??= new Tile())
    tile.append(hash)
    const root = tile.node(8, 0)
    if (!root) return
    const nodes = Math.floor(this.#size / TILE_WIDTH ** level)
    full.push({ name: { level, index: nodes / TILE_WIDTH - 1, width: TILE_WIDTH }, bytes: tile.toBytes() })
    this.#edge[level] = new Tile()
    this.#add(level + 1, root, full)
  }

  #edgeName(level: number): TileName {
    const index = Math.floor(this.#size / TILE_WIDTH ** (level + 1))
    return { level, index, width: tileWidth({ level, index, size: this.#size }) }
  }
}

/** Where a tile that is filling lies is a directory of its own, which goes when the tile is full. */
export function partialDirectory({ level, index }: { level: TileName['level']; index: number }): string {
  return `${tilePath({ level, index, width: TILE_WIDTH })}.p`
}
