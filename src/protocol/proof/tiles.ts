import { nodeHash } from './merkle.ts'
import type { Subtree } from './merkle.ts'

/**
 * The tiles of a log (C2SP tlog-tiles): the tree is cut into pieces 8 levels high and 256 hashes wide, which never
 * change once they are full. Level 0 holds the hashes of the leaves, level 1 the roots of full tiles of level 0.
 */

/** Hashes in a full tile, entries in a full bundle. */
export const TILE_WIDTH = 256
const TILE_HEIGHT = 8
const LEVEL_MAX = 5
const HASH_BYTES = 32

/** One tile: of hashes at a level, or of the entries themselves. `width` is how many it holds. */
export interface TileName {
  readonly level: number | 'entries'
  readonly index: number
  readonly width: number
}

/** The path of a tile, for example `tile/0/x001/x234/067` or, while it fills, `tile/0/x001/x234/067.p/12`. */
export function tilePath({ level, index, width }: TileName): string {
  return `tile/${level}/${indexPath(index)}${width === TILE_WIDTH ? '' : `.p/${width}`}`
}

/** Reads a path; `undefined` when it is not exactly one that `tilePath` writes. */
export function parseTilePath(path: string): TileName | undefined {
  const match = /^tile\/(entries|\d)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path)
  if (!match) return undefined
  const [, levelText = '', indexText = '', widthText] = match
  const level = levelText === 'entries' ? 'entries' : Number(levelText)
  const index = Number(indexText.replaceAll(/[x/]/g, ''))
  const name: TileName = { level, index, width: widthText === undefined ? TILE_WIDTH : Number(widthText) }
  if (name.width > TILE_WIDTH || (level !== 'entries' && level > LEVEL_MAX) || !Number.isSafeInteger(index))
    return undefined
  return tilePath(name) === path ? name : undefined
}

/** How many hashes tile `index` of `level` holds in a tree of `size` leaves: 0 to 256. */
export function tileWidth({
  level,
  index,
  size,
}: {
  level: number | 'entries'
  index: number
  size: number
}): number {
  const nodes = Math.floor(size / TILE_WIDTH ** (level === 'entries' ? 0 : level))
  return Math.max(0, Math.min(TILE_WIDTH, nodes - index * TILE_WIDTH))
}

/** Which tile holds a subtree's hash, and where in it: `height` levels above its bottom, at `offset`. */
export function tileOf({ level, index }: Subtree): {
  readonly level: number
  readonly index: number
  readonly height: number
  readonly offset: number
} {
  const height = level % TILE_HEIGHT
  const acrossTile = TILE_WIDTH / 2 ** height
  return {
    level: Math.floor(level / TILE_HEIGHT),
    index: Math.floor(index / acrossTile),
    height,
    offset: index % acrossTile,
  }
}

/** The hashes of one tile with all that follow from them above. It grows until it is full. */
export class Tile {
  readonly #rows: Uint8Array[][] = Array.from({ length: TILE_HEIGHT + 1 }, () => [])

  /** Reads the bytes of a tile: hashes one after another. `undefined` when they are no tile. */
  static fromBytes(bytes: Uint8Array): Tile | undefined {
    if (bytes.length === 0 || bytes.length % HASH_BYTES !== 0 || bytes.length > TILE_WIDTH * HASH_BYTES)
      return undefined
    const tile = new Tile()
    for (let start = 0; start < bytes.length; start += HASH_BYTES)
      tile.append(bytes.slice(start, start + HASH_BYTES))
    return tile
  }

  get width(): number {
    return this.#rows[0]?.length ?? 0
  }

  get isFull(): boolean {
    return this.width === TILE_WIDTH
  }

  append(hash: Uint8Array): void {
    if (this.isFull) throw new RangeError('Cannot append to a full tile')
    let node = hash
    for (const row of this.#rows) {
      row.push(node)
      const left = row.at(-2)
      if (row.length % 2 === 1 || !left) return
      node = nodeHash(left, node)
    }
  }

  /** The hash `height` levels above the bottom at `offset`; `undefined` when the tile does not reach there yet. */
  node(height: number, offset: number): Uint8Array | undefined {
    return this.#rows[height]?.[offset]
  }

  /** The first `width` hashes, one after another. */
  toBytes(width = this.width): Uint8Array {
    const bytes = new Uint8Array(width * HASH_BYTES)
    for (let index = 0; index < width; index += 1) bytes.set(this.#rows[0]?.[index] ?? [], index * HASH_BYTES)
    return bytes
  }
}

/** The bytes of a bundle of entries: each with its length before it, two bytes, big-endian. */
export function bundleBytes(entries: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(entries.reduce((total, entry) => total + 2 + entry.length, 0))
  const view = new DataView(bytes.buffer)
  let start = 0
  for (const entry of entries) {
    if (entry.length > 0xffff) throw new RangeError('Cannot put an entry past 65,535 bytes into a bundle')
    view.setUint16(start, entry.length)
    bytes.set(entry, start + 2)
    start += 2 + entry.length
  }
  return bytes
}

/** The entries of a bundle; `undefined` when its bytes are torn. */
export function parseBundle(bytes: Uint8Array): readonly Uint8Array[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const entries: Uint8Array[] = []
  for (let start = 0; start < bytes.length;) {
    if (start + 2 > bytes.length) return undefined
    const end = start + 2 + view.getUint16(start)
    if (end > bytes.length) return undefined
    entries.push(bytes.slice(start + 2, end))
    start = end
  }
  return entries
}

function indexPath(index: number): string {
  let path = String(index % 1000).padStart(3, '0')
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000))
    path = `x${String(rest % 1000).padStart(3, '0')}/${path}`
  return path
}
