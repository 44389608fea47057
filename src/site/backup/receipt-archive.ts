import { createReadStream } from 'node:fs'
import { open, readdir, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { replaceFile, syncDirectory } from '../../kernel/durable-file.ts'
import { Fault } from '../../kernel/faults.ts'
import { whenMissing } from '../../kernel/when-missing.ts'
import { compactJwsSchema } from '../../protocol/wire.ts'
import { readIfThere } from './safe.ts'
import type { Safe } from './safe.ts'

/**
 * The receipts since the oldest backup, in the safe: one a line, in files named by the number of their first. They
 * follow the log by a second or so. A restored site goes on after them, so that the log is one log, and tells from them
 * what was acknowledged after the backup.
 */
const PREFIX = 'receipts-'
const CHECKPOINT = 'checkpoint'

interface ArchiveFile {
  readonly first: number
  readonly path: string
}

async function filesOfArchive({ directory }: Safe): Promise<readonly ArchiveFile[]> {
  const names = await readdir(directory)
  return names
    .flatMap((name) => {
      const first = new RegExp(`^${PREFIX}(\\d{1,15})\\.jws$`).exec(name)?.[1]
      return first === undefined ? [] : [{ first: Number(first), path: join(directory, name) }]
    })
    .toSorted((left, right) => left.first - right.first)
}

/** Begins a file for the receipts from this number on: a new backup holds those before. */
export async function beginArchiveFile(safe: Safe, first: number): Promise<void> {
  const file = await open(join(safe.directory, `${PREFIX}${first}.jws`), 'a', 0o600)
  await file.close()
  await syncDirectory(safe.directory)
}

/** Removes files of receipts that every backup holds; all of them when there is no backup any more. */
export async function trimArchive(safe: Safe, oldestLogSize: number): Promise<void> {
  const files = await filesOfArchive(safe)
  for (const [index, { path }] of files.entries()) {
    const end = files[index + 1]?.first ?? Infinity
    if (end <= oldestLogSize) await rm(path, { force: true })
  }
  if (oldestLogSize === Infinity) await rm(join(safe.directory, CHECKPOINT), { force: true })
}

/** Where the archive ends: the number of the receipt that it wants next; `undefined` while nothing is archived. */
export async function archiveEnd(safe: Safe): Promise<number | undefined> {
  const last = (await filesOfArchive(safe)).at(-1)
  if (!last) return undefined
  let lines = 0
  for await (const line of linesOf(last.path)) if (isWhole(line)) lines += 1
  return last.first + lines
}

/**
 * Adds receipts, and then the checkpoint over all that are there if one is given; on the disk when it resolves. Gives
 * false where there is no archive any more, because the last backup has ended.
 */
export async function appendReceipts(
  safe: Safe,
  { texts, checkpoint }: { texts: readonly string[]; checkpoint?: string | undefined },
): Promise<boolean> {
  const last = (await filesOfArchive(safe)).at(-1)
  if (!last) return false
  if (texts.length > 0 && !(await addLines(last.path, texts))) return false
  if (checkpoint === undefined) return true
  await replaceFile(join(safe.directory, CHECKPOINT), checkpoint, { mode: 0o600 })
  await syncDirectory(safe.directory)
  return true
}

/** Adds lines to a file that is there, over what a crash tore: the end of the archive was counted without it. */
async function addLines(path: string, texts: readonly string[]): Promise<boolean> {
  // None when the last backup ended just now.
  const file = await open(path, 'r+').catch(whenMissing(undefined))
  if (!file) return false
  try {
    const end = await endOfLines(file)
    await file.truncate(end)
    const lines = Buffer.from(`${texts.join('\n')}\n`)
    await file.write(lines, 0, lines.length, end)
    await file.sync()
    return true
  } finally {
    await file.close()
  }
}

async function endOfLines(file: FileHandle): Promise<number> {
  const { size } = await file.stat()
  const tail = Buffer.alloc(Math.min(size, TAIL_BYTES))
  await file.read(tail, 0, tail.length, size - tail.length)
  return size - tail.length + tail.lastIndexOf('\n') + 1
}

/** Longer than any receipt. */
const TAIL_BYTES = 1024 * 1024

/**
 * Archived receipts from a number on, in order.
 *
 * @throws Fault `fault.backup_safe` when one is missing between
 */
export async function* readArchive(safe: Safe, from: number): AsyncGenerator<string> {
  let next = from
  const files = await filesOfArchive(safe)
  for (const [index, { first, path }] of files.entries()) {
    const end = files[index + 1]?.first ?? Infinity
    if (end <= next) continue
    if (first > next) throw missing(next)
    let sequence = first
    for await (const line of linesOf(path)) {
      if (!isWhole(line)) break
      if (sequence >= next && sequence < end) yield line
      sequence += 1
    }
    if (sequence < end && end !== Infinity) throw missing(sequence)
    next = Math.max(next, Math.min(sequence, end))
  }
}

/** The newest checkpoint that the safe has. */
export function readArchivedCheckpoint({ directory }: Safe): Promise<string | undefined> {
  return readIfThere(join(directory, CHECKPOINT))
}

function linesOf(path: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity })
}

/** Ed25519 signatures are 86 characters of base64url: a torn line has fewer. */
function isWhole(line: string): boolean {
  return compactJwsSchema.safeParse(line).success && (line.split('.')[2]?.length ?? 0) === 86
}

function missing(sequence: number): Fault {
  return new Fault('fault.backup_safe', {
    what: `The safe lacks receipt ${sequence} of those after the backup`,
  })
}
