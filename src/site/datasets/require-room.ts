import { statfs } from 'node:fs/promises'
import { Fault } from '../../kernel/faults.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { ImportFormat } from '../../protocol/http/data-set-api.ts'

/** What a sealed cell takes beside its text: nonce, tag and length. */
const SEAL_BYTES = 48
/** Numbers and dates, however few digits they have in the file. */
const CELL_BYTES = 8
/** How far Parquet has pressed its rows together, at most as a rule. */
const PARQUET_EXPANSION = 6

/**
 * Bytes that rows of a file take on the way into the vault: once in the log of the vault's file and once in the file.
 * An estimate on the safe side; only the engine knows.
 */
export function roomForRows(
  rows: number,
  file: { sizeBytes: number; rows: number; format: ImportFormat; manifest: Manifest },
): number {
  const { columns } = file.manifest
  const sealed = columns.filter(
    ({ sensitivity }) => sensitivity === 'direct_identifier' || sensitivity === 'free_text',
  )
  const expansion = file.format === 'parquet' ? PARQUET_EXPANSION : 1
  const rowBytes =
    (file.sizeBytes * expansion) / Math.max(1, file.rows) +
    columns.length * CELL_BYTES +
    sealed.length * SEAL_BYTES
  return Math.ceil(2 * rows * rowBytes)
}

/**
 * Refuses to go on where the disk would have no more than the reserve left afterwards: the record and the vault end
 * when they can write no more, and they serve others too.
 *
 * @throws Fault `fault.disk_full`, which tells whoever imports how much is needed and how much there is
 */
export async function requireRoom(directory: string, bytes: number): Promise<void> {
  const leftBytes = await roomLeft(directory)
  if (leftBytes === undefined || leftBytes >= bytes + LIMITS.diskReserveBytes) return
  throw diskFull({ bytes, leftBytes })
}

/** A failure of an import; when the disk was full, with how much is needed and how much there is. */
export async function withRoom(
  thrown: unknown,
  { directory, bytes }: { directory: string; bytes: number },
): Promise<unknown> {
  if (!(thrown instanceof Fault) || thrown.code !== 'fault.disk_full' || thrown.isForCaller) return thrown
  const leftBytes = await roomLeft(directory).catch(() => undefined)
  return leftBytes === undefined ? thrown : diskFull({ bytes, leftBytes, cause: thrown })
}

async function roomLeft(directory: string): Promise<number | undefined> {
  const { bavail, bsize, blocks } = await statfs(directory)
  // Some file systems do not tell.
  return blocks === 0 ? undefined : bavail * bsize
}

function diskFull({ bytes, leftBytes, cause }: { bytes: number; leftBytes: number; cause?: Fault }): Fault {
  const needed = Math.ceil((bytes + LIMITS.diskReserveBytes) / 1_000_000)
  return new Fault('fault.disk_full', {
    what: `The import needs ${needed} MB of free space and there are ${Math.floor(leftBytes / 1_000_000)} MB`,
    cause,
    isForCaller: true,
  })
}
