import { instant } from '../kernel/clock.ts'
import type { Instant } from '../kernel/clock.ts'
import { peekJws } from '../kernel/crypto/jws.ts'
import { parseJson } from '../kernel/parse-json.ts'
import { parseCheckpoint, readNote } from '../protocol/proof/checkpoint.ts'
import { EMPTY_ROOT } from '../protocol/proof/merkle.ts'
import { receiptSchema } from '../protocol/proof/receipt.ts'
import type { LogPosition } from '../protocol/proof/retired-key.ts'
import type { ReceiptLog } from './receipt-log.ts'

/** What a key leaves: the log that it signed, and when. */
export interface LeftLog {
  readonly log: LogPosition
  readonly at: Instant
}

/**
 * How long the log of a server that is stopped is, and its root, for the statement that replaces its key
 * (docs/decisions/0032); and the moment for it: no receipt in the log is later, whatever the clock was set to since.
 */
export async function readLogPosition(
  log: Pick<ReceiptLog, 'publish' | 'checkpoint' | 'list'>,
  now: Instant,
): Promise<LeftLog> {
  await log.publish()
  const note = await log.checkpoint()
  const checkpoint = parseCheckpoint(readNote(note ?? '')?.text ?? '')
  if (!checkpoint) return { log: { size: 0, root: EMPTY_ROOT.toBase64() }, at: now }
  const { size, root } = checkpoint
  return { log: { size, root: root.toBase64() }, at: await latestTime(log, now) }
}

/** Receipts that are read at once: a few megabytes. */
const PORTION = 4_096
const datedSchema = receiptSchema.pick({ time: true }).strip()

/** The latest of a moment and the dates of all receipts: one from before the clock was set back may be later than the last. */
async function latestTime(log: Pick<ReceiptLog, 'list'>, now: Instant): Promise<Instant> {
  let latest: number = now
  for (let after = -1; ;) {
    const rows = await log.list({ after, limit: PORTION })
    for (const { sequence, jws } of rows) {
      const { data } = datedSchema.safeParse(parseJson(peekJws(jws)?.payload ?? ''))
      latest = Math.max(latest, data?.time ?? latest)
      after = sequence
    }
    if (rows.length < PORTION) return instant(latest)
  }
}
