import { sql } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import type { ImportReader } from '../datasets/import-reader.ts'
import { runOwn } from '../vault/own-sql.ts'

/** What a draft is at, and how much of that is done; the share is absent while nobody knows. */
export interface DraftProgress {
  readonly step: 'reading' | 'columns' | 'numbers' | 'rows'
  readonly percent?: number
}

/** Whom to tell of it, if anybody, and by which clock. */
export interface DraftWatch {
  readonly clock: Clock
  readonly onProgress?: ((progress: DraftProgress) => void) | undefined
}

const TELL_EVERY_MS = 250

/** A step, and which part of it where the engine goes through the file several times. */
export interface WatchedStep extends Pick<DraftProgress, 'step'> {
  readonly part?: number
  readonly parts?: number
}

/** Tells how far the engine is with a step for as long as it works on it. */
export async function watched<T>(
  { connection }: ImportReader,
  { clock, onProgress, step, part = 0, parts = 1 }: DraftWatch & WatchedStep,
  work: () => Promise<T>,
): Promise<T> {
  if (onProgress === undefined) return work()
  if (part === 0) onProgress({ step })
  // It counts what it has gone through only where it believes that somebody looks; what is printed is ours alone.
  await runOwn(connection, sql`set enable_progress_bar = true`)
  await runOwn(connection, sql`set enable_progress_bar_print = false`)
  await runOwn(connection, sql`set progress_bar_time = 0`)
  const over = new AbortController()
  const telling = (async () => {
    while (!over.signal.aborted) {
      await clock.sleep(TELL_EVERY_MS, over.signal)
      const { percentage } = connection.progress
      if (!over.signal.aborted && percentage >= 0)
        onProgress({ step, percent: Math.floor((100 * part + percentage) / parts) })
    }
  })()
  try {
    return await work()
  } finally {
    over.abort()
    await telling
  }
}
