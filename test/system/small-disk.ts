import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { open, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const MB = 1024 * 1024

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

/** Takes all of a disk but so many megabytes; gives the file to remove. */
export async function fillDisk(directory: string, leftMb: number): Promise<string> {
  const { bavail, bsize } = await statfs(directory)
  const filler = join(directory, 'filler')
  await using file = await open(filler, 'wx')
  // Whoever else writes there meanwhile may leave less room than was looked at: then it is full, which is as good.
  await file.writeFile(Buffer.alloc(Math.max(0, bavail * bsize - leftMb * MB))).catch(whenFull)
  return filler
}

function whenFull(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
}
