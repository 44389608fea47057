import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { open, rm, statfs } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

const MB = 1024 * 1024
const LOOK_EVERY_MS = 10

/** Mounts a small disk on a directory; it goes when what is opened is closed. */
export function mountDisk(directory: string, sizeMb: number, opening: AsyncDisposableStack): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m`, 'tmpfs', directory], { stdio: 'ignore' })
  opening.defer(() => void execFileSync('umount', [directory]))
}

/** Why no small disk can be mounted here; `false` when one can. */
export async function cannotMount(): Promise<string | false> {
  const directory = join(tmpdir(), `hedgerow-disk-${process.pid}`)
  try {
    await using opening = new AsyncDisposableStack()
    mountDisk(directory, 1, opening)
    return false
  } catch {
    return 'a small disk can only be mounted by root'
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Something that takes the room of a disk, until it is emptied. */
export interface Filler extends AsyncDisposable {
  empty(): Promise<void>
}

/**
 * Takes all of a disk but so many megabytes, and what comes free meanwhile: a database removes logs that it does not need
 * any more whenever it likes.
 */
export async function fillDisk(directory: string, leftMb: number): Promise<Filler> {
  const filler = join(directory, 'filler')
  const file = await open(filler, 'wx')
  const ended = new AbortController()
  await takeRoom(file, { directory, leftMb })
  const taking = keepTaking(ended.signal, () => takeRoom(file, { directory, leftMb }))
  const empty = async () => {
    if (ended.signal.aborted) return
    ended.abort()
    await taking
    await file.close()
    await rm(filler)
  }
  return { empty, [Symbol.asyncDispose]: empty }
}

async function keepTaking(signal: AbortSignal, take: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await setTimeout(LOOK_EVERY_MS)
    await take()
  }
}

async function takeRoom(
  file: FileHandle,
  { directory, leftMb }: { directory: string; leftMb: number },
): Promise<void> {
  const { bavail, bsize } = await statfs(directory)
  const room = bavail * bsize - leftMb * MB
  if (room <= 0) return
  // Whoever else writes there meanwhile may leave less room than was looked at: then it is full, which is as good.
  await file.appendFile(Buffer.alloc(room)).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  })
}
