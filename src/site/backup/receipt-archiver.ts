import type { Clock } from '../../kernel/clock.ts'
import { Mutex } from '../../kernel/mutex.ts'
import { logOrigin, openCheckpoint } from '../../protocol/proof/checkpoint.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import type { SiteEvents } from '../events.ts'
import { appendReceipts, archiveEnd, beginArchiveFile } from './receipt-archive.ts'
import type { Safe } from './safe.ts'

/** Keeps the archive of receipts in the safe behind the log. */
export interface ReceiptArchiver {
  /** Everything that was published before the call is in the safe when it resolves; nothing while there is no backup. */
  follow(): Promise<void>
  /** Begins a new file for what a backup with so many receipts does not hold. */
  rotate(logSize: number): Promise<void>
}

/** Receipts that are copied at once. */
const PORTION = 500

export async function openReceiptArchiver({
  safe,
  log,
  site,
  keys,
}: {
  safe: Safe
  log: ReceiptLog
  site: string
  keys: readonly PublicJwk[]
}): Promise<ReceiptArchiver> {
  const turn = new Mutex()
  let end = await archiveEnd(safe)
  const follow = async (): Promise<void> => {
    const note = await log.checkpoint()
    if (end === undefined || note === undefined) return
    const size = openCheckpoint(note, { origin: logOrigin(site), keys })?.size ?? 0
    while (end !== undefined && end < size) {
      const rows = await log.list({ after: end - 1, limit: Math.min(PORTION, size - end) })
      if (rows.length === 0) return
      const checkpoint = end + rows.length >= size ? note : undefined
      const isKept = await appendReceipts(safe, { texts: rows.map(({ jws }) => jws), checkpoint })
      end = isKept ? end + rows.length : undefined
    }
  }
  return {
    follow: () => turn.run(follow),
    rotate: (logSize) =>
      turn.run(async () => {
        // As it is on the disk: the last backup may have ended since, and taken the archive along.
        end = await archiveEnd(safe)
        await follow()
        end = Math.max(logSize, end ?? 0)
        await beginArchiveFile(safe, end)
        await follow()
      }),
  }
}

/** How far the safe may lag behind the log, about. */
const INTERVAL_MS = 1_000

/** Follows the log until `signal` is aborted, and once more then; what fails is tried again. */
export async function serveArchive({
  archiver,
  clock,
  events,
  signal,
}: {
  archiver: ReceiptArchiver
  clock: Clock
  events: SiteEvents
  signal: AbortSignal
}): Promise<void> {
  for (;;) {
    const isLast = signal.aborted
    await archiver.follow().catch((error: unknown) => events.failed('copying receipts into the safe', error))
    if (isLast) return
    await clock.sleep(INTERVAL_MS, signal)
  }
}
