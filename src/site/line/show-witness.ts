import type { Clock } from '../../kernel/clock.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { parseWitness, cosignaturesOf, withCosignature } from '../../protocol/proof/cosignature.ts'
import type { Published } from '../../transparency/publisher.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import type { SiteEvents } from '../events.ts'

/** What a witness says to a checkpoint that it is shown. */
export type WitnessAnswer =
  | { readonly kind: 'cosigned'; readonly line: string }
  /** It saw another size last. */
  | { readonly kind: 'stale'; readonly size: number }
  /** It will not: `status` says why (C2SP tlog-witness). */
  | { readonly kind: 'refused'; readonly status: number }

/** The line to a witness. */
export interface WitnessLine {
  /** The witness's key as text; absent where there is none. `isAfresh`: it may have been rotated since it was asked for. */
  witnessKey(isAfresh?: boolean): Promise<string | undefined>
  addCheckpoint(body: string): Promise<WitnessAnswer>
}

interface ShowingParts {
  readonly log: Pick<ReceiptLog, 'witnessing'>
  readonly line: WitnessLine
  readonly clock: Clock
  readonly events: Pick<SiteEvents, 'notWitnessed'>
  readonly signal: AbortSignal
  /** For how long nobody has been answered, in milliseconds. */
  readonly quietMs: () => number
}

/**
 * Shows the log's checkpoints to the witness until `signal` is aborted. Nothing waits for it: a trade goes out under the log's
 * own signature, and the witness's comes after.
 */
export async function showWitnessForEver(parts: ShowingParts): Promise<void> {
  const { clock, signal, log } = parts
  let seen = 0
  while (!signal.aborted) {
    await lull(parts)
    try {
      const due = log.witnessing.due()
      for (const checkpoint of due) {
        if (signal.aborted) return
        seen = await showOne(checkpoint, { parts, seen })
        // One after another with a breath between: what is served meanwhile must not feel it.
        await clock.sleep(BREATH_MS, signal)
      }
      // A log that is shorter than what was witnessed of it has lost receipts that somebody has.
      const newest = due.at(-1)
      if (newest && seen > newest.size) parts.events.notWitnessed({ size: newest.size, status: 409 })
    } catch {
      // The witness is away, which the line tells; what is due later covers this too.
    }
    await clock.sleep(LIMITS.witnessPauseMs, signal)
  }
}

const BREATH_MS = 15

/** A pause between trades is shorter. */
const LULL_MS = 100
const LOOK_MS = 50

/** Waits until nobody has been answered for a while: two trades at once take longer than one after the other. Not for ever. */
async function lull({ clock, signal, quietMs }: ShowingParts): Promise<void> {
  for (let waitedMs = 0; waitedMs < LIMITS.witnessPatienceMs; waitedMs += LOOK_MS) {
    if (signal.aborted || quietMs() >= LULL_MS) return
    await clock.sleep(LOOK_MS, signal)
  }
}

/** Shows one; gives the size that the witness has seen then. After a restart it is the witness that remembers. */
async function showOne(
  checkpoint: Published,
  { parts, seen }: { parts: ShowingParts; seen: number },
): Promise<number> {
  const { log, line, events } = parts
  let from = seen
  for (let attempt = 0; attempt < 2; attempt += 1) {
    // It has seen a later one: this one is covered.
    if (from > checkpoint.size) break
    const proof =
      from === 0 || from === checkpoint.size ? [] : await log.witnessing.consistency(from, checkpoint.size)
    const body = [`old ${from}`, ...proof, '', checkpoint.note].join('\n')
    const answer = await line.addCheckpoint(body)
    if (answer.kind === 'cosigned') return take(answer.line, { checkpoint, parts })
    if (answer.kind === 'refused') {
      events.notWitnessed({ size: checkpoint.size, status: answer.status })
      return from
    }
    from = answer.size
  }
  return from
}

/** Only what verifies by the witness's own key is served. */
async function take(
  line: string,
  { checkpoint, parts: { log, line: witness, events } }: { checkpoint: Published; parts: ShowingParts },
): Promise<number> {
  const note = withCosignature(checkpoint.note, line)
  const isGood = async (isAfresh: boolean) => {
    const key = parseWitness((await witness.witnessKey(isAfresh)) ?? '')
    return key !== undefined && cosignaturesOf(note, [key])?.length === 1
  }
  if ((await isGood(false)) || (await isGood(true))) log.witnessing.cosigned({ ...checkpoint, note })
  else events.notWitnessed({ size: checkpoint.size, status: 200 })
  return checkpoint.size
}
