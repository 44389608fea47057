import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { readFile, rm, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { draftFile, replaceFile, syncDirectory } from '../kernel/durable-file.ts'
import { equalBytes } from '../kernel/digest.ts'
import { makeDirectory } from '../kernel/make-directory.ts'
import { TILE_WIDTH, tilePath } from '../protocol/proof/tiles.ts'
import type { TileName } from '../protocol/proof/tiles.ts'
import { partialDirectory } from './log-tree.ts'
import type { TileFile } from './log-tree.ts'
import { damaged } from './receipt-store.ts'

/** The files of a log: `checkpoint` and `tile/…`, laid out as they are served, so that any web server could serve them. */
export class TileFiles {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Makes the directory, so that it is there after a crash too. */
  async prepare(): Promise<void> {
    makeDirectory(this.#directory, { mode: 0o777 })
    await syncDirectory(dirname(this.#directory))
  }

  readCheckpoint(): string | undefined {
    const bytes = readIfThere(join(this.#directory, 'checkpoint'))
    return bytes && new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  }

  async readTile(name: TileName): Promise<Uint8Array | undefined> {
    try {
      return await readFile(join(this.#directory, tilePath(name)))
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  /**
   * The first `width` hashes of a tile, from a longer form of it if that is the one that is there: after a power
   * failure the checkpoint may be older than the tiles.
   */
  async readBeginning(name: TileName): Promise<Uint8Array | undefined> {
    const exact = await this.readTile(name)
    if (exact) return exact
    const directory = join(this.#directory, partialDirectory(name))
    const widths = existsSync(directory) ? readdirSync(directory).map(Number) : []
    const width = [...widths, TILE_WIDTH].find((other) => other > name.width)
    const longer = width === undefined ? undefined : await this.readTile({ ...name, width })
    return longer?.subarray(0, (longer.length / (width ?? 1)) * name.width)
  }

  /** Forces tiles to the disk, and then the names of all that are new. */
  async writeTiles(files: readonly TileFile[]): Promise<void> {
    const directories = new Set<string>()
    for (let start = 0; start < files.length; start += WRITES_AT_ONCE) {
      const some = files.slice(start, start + WRITES_AT_ONCE)
      await Promise.all(
        some.map(async ({ name, bytes }) => {
          const path = join(this.#directory, tilePath(name))
          const made = await writeOnce(path, bytes)
          for (const directory of directoriesOf(path, made)) directories.add(directory)
        }),
      )
    }
    await Promise.all([...directories].map(syncDirectory))
  }

  /**
   * The last step: from here on the log has this size. The checkpoint is forced to the disk while its tiles are, and takes its
   * place once those are there to stay. Its file is made first, because making one waits for others that are being forced.
   *
   * Its own name is not waited for: should a power failure bring the old checkpoint back, the record, which is durable,
   * gives the same tree again, so no second root can come about for a size.
   */
  async writeCheckpoint(note: string, tiles: readonly TileFile[]): Promise<void> {
    const draft = draftFile(join(this.#directory, 'checkpoint'), note)
    await Promise.all([draft.force(), this.writeTiles(tiles)])
    draft.replace()
    void syncDirectory(this.#directory).catch(() => undefined)
  }

  /** Removes what a newer file says better: the shorter forms of a tile, once it has grown or is full. */
  async removePartial(name: TileName): Promise<void> {
    // Not at once: the file system makes whoever removes wait for whatever is being forced to the disk.
    if (name.width < TILE_WIDTH) await unlink(join(this.#directory, tilePath(name))).catch(unlessMissing)
    else await rm(join(this.#directory, partialDirectory(name)), { recursive: true, force: true })
  }
}

/** Enough to keep the threads that Node.js has for files busy (4 by default). */
const WRITES_AT_ONCE = 16

/** A tile that is there already (from before a crash) must be the same: what was served once is never changed. */
async function writeOnce(path: string, bytes: Uint8Array): Promise<string | undefined> {
  const there = readIfThere(path)
  if (there === undefined) return replaceFile(path, bytes)
  if (!equalBytes(there, bytes)) {
    throw damaged(`the tile "${path}" on the disk is not the one that the record gives`)
  }
  return undefined
}

/** The directory of a file, and if some on its path are new, those up to the one that was there before. */
function directoriesOf(path: string, made: string | undefined): readonly string[] {
  const directories = [dirname(path)]
  if (made === undefined) return directories
  for (let directory = dirname(path); directory.length >= made.length; directory = dirname(directory)) {
    directories.push(dirname(directory))
  }
  return directories
}

/** At once, for what was written lately: a trip to the thread pool would cost more. */
function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

function unlessMissing(error: unknown): void {
  if (!isMissing(error)) throw error
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
