import { access, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, Instant } from '../../kernel/clock.ts'
import { formatInstant, instant } from '../../kernel/clock.ts'
import { syncDirectory } from '../../kernel/durable-file.ts'
import { GroupCommit } from '../../kernel/group-commit.ts'
import { Mutex } from '../../kernel/mutex.ts'
import type { BackupView } from '../../protocol/http/backup-api.ts'
import { appendDone, trimDone } from './done-since.ts'
import type { Done } from './done-since.ts'
import { strikeOut } from './people-file.ts'
import { trimArchive } from './receipt-archive.ts'
import { destroyEntry, listEntries, peoplePath } from './safe.ts'
import type { BackupEntry, Safe } from './safe.ts'

/** The backups of a site, as its safe knows them; the safe is the truth, because nothing opens a backup without it. */
export interface Backups {
  readonly safe: Safe
  /** One at a time: making a backup, ending one, and compacting what an erasure left, which a backup's copy would undo. */
  readonly turn: Mutex
  /** All that can still be read, oldest first. */
  list(): Promise<readonly BackupEntry[]>
  /** Destroys the key of somebody who was erased in every backup there is; durable when it resolves. */
  strikeOut(erased: { person: number; erasure: string }): Promise<void>
  /** Keeps in the safe what was done, while there is a backup that could be restored; durable when it resolves. */
  noteDone(done: Done): Promise<void>
  /**
   * Until when a backup holds what was deleted at a moment: the end of the last window of those that were taken before,
   * or that are being written. `undefined` when none does.
   */
  heldUntil(deletedAt: Instant): Promise<Instant | undefined>
  /** Destroys a backup, key first. */
  destroy(backup: string): Promise<void>
  /** Destroys those whose window has ended; gives how many. */
  expire(): Promise<number>
}

/** Erased people for whom the backups that there are are looked up once. */
const STRUCK_OUT_AT_ONCE = 64

export function openBackups(safe: Safe, clock: Clock): Backups {
  const turn = new Mutex()
  const doneTurn = new Mutex()
  const striking = new GroupCommit(async (all: readonly { person: number; erasure: string }[]) => {
    for (const { backup } of await listEntries(safe))
      for (const erased of all) await strikeOut(peoplePath(safe, backup), erased)
    return all
  }, STRUCK_OUT_AT_ONCE)
  const destroy = async (entry: BackupEntry): Promise<void> => {
    await destroyEntry(safe, entry.backup)
    await removeFiles(entry)
    await trimArchive(safe, await oldestLogSize(safe))
    await doneTurn.run(async () => trimDone(safe, await oldestMoment(safe)))
  }
  return {
    safe,
    turn,
    list: () => listEntries(safe),
    strikeOut: async (erased) => {
      await striking.add(erased)
    },
    noteDone: (done) =>
      doneTurn.run(async () => {
        if ((await listEntries(safe)).length > 0) await appendDone(safe, done)
      }),
    heldUntil: async (deletedAt) => heldUntil(await listEntries(safe), deletedAt),
    destroy: (backup) =>
      turn.run(async () => {
        const entry = (await listEntries(safe)).find((known) => known.backup === backup)
        if (entry) await destroy(entry)
      }),
    expire: () =>
      turn.run(async () => {
        const ended = (await listEntries(safe)).filter((entry) => isExpired(entry, clock.now()))
        for (const entry of ended) await destroy(entry)
        return ended.length
      }),
  }
}

/** Removes what a process that ended while it wrote a backup has left. Nobody is writing one. */
export async function removeHalfWritten(safe: Safe): Promise<number> {
  const half = (await listEntries(safe)).filter(({ state }) => state === 'writing')
  for (const entry of half) {
    await destroyEntry(safe, entry.backup)
    await removeFiles(entry)
  }
  return half.length
}

/** A backup's own directory, and the one in which it is written until it is whole. */
export function backupDirectory({ directory, backup }: Pick<BackupEntry, 'directory' | 'backup'>): string {
  return join(directory, backup)
}

export function draftDirectory({ directory, backup }: Pick<BackupEntry, 'directory' | 'backup'>): string {
  return join(directory, `.${backup}.partial`)
}

/** What cannot be removed (a disk that is away) cannot be read either: its key is gone. */
async function removeFiles(entry: BackupEntry): Promise<void> {
  try {
    for (const path of [backupDirectory(entry), draftDirectory(entry)])
      await rm(path, { recursive: true, force: true })
    await syncDirectory(entry.directory)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
  }
}

async function oldestLogSize(safe: Safe): Promise<number> {
  return Math.min(Infinity, ...(await listEntries(safe)).map(({ logSize }) => logSize ?? 0))
}

/** Since when the oldest backup does not know what was done; `undefined` when there is none. */
async function oldestMoment(safe: Safe): Promise<Instant | undefined> {
  const begun = (await listEntries(safe)).map(({ begunAt }) => begunAt)
  return begun.length === 0 ? undefined : instant(Math.min(...begun))
}

export function isExpired({ expiresAt }: Pick<BackupEntry, 'expiresAt'>, now: Instant): boolean {
  return now >= expiresAt
}

/** The rule of `Backups.heldUntil`, over entries that were read. */
export function heldUntil(entries: readonly BackupEntry[], deletedAt: Instant): Instant | undefined {
  const ends = entries
    .filter(({ takenAt }) => takenAt === undefined || takenAt <= deletedAt)
    .map(({ expiresAt }) => expiresAt)
  return ends.length === 0 ? undefined : instant(Math.max(...ends))
}

/** A backup as its operator sees it. One whose files were taken away is not told as whole: whether it is, only who has them knows. */
export async function backupView(entry: BackupEntry, now: Instant): Promise<BackupView> {
  const { backup, directory, takenAt, expiresAt, sizeBytes, logSize } = entry
  const isAway = entry.state === 'whole' && !(await isThere(backupDirectory(entry)))
  const state = isExpired(entry, now) ? 'expired' : isAway ? 'away' : entry.state
  return {
    backup,
    state,
    directory: state === 'writing' ? directory : backupDirectory(entry),
    ...(takenAt === undefined ? {} : { takenAt: formatInstant(takenAt) }),
    expiresAt: formatInstant(expiresAt),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    ...(logSize === undefined ? {} : { logSize }),
  }
}

/** Whether something is at a place; what cannot be looked at is not. */
export function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
