import type { Clock } from '../../kernel/clock.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { CosignedMessage } from '../../protocol/http/witness-api.ts'
import { parseWitness, cosignaturesOf, withCosignature } from '../../protocol/proof/cosignature.ts'
import type { Published } from '../../transparency/publisher.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import type { SiteEvents } from '../events.ts'

/** The line to a witness. */
export interface WitnessLine {
  /** The witness's key as text; absent where there is none. `isAfresh`: it may have been rotated since it was asked for. */
  witnessKey(isAfresh?: boolean): Promise<string | undefined>
  /** The newest checkpoint of this site's log that the witness saw; absent where it saw none. */
  witnessed(): Promise<string | undefined>
  /** The rotations of this site's keys that the network has taken, in order. */
  rotations(): Promise<readonly string[]>
  /** Shows checkpoints, each following from the one before: each as `add-checkpoint` takes it (C2SP tlog-witness). */
  showCheckpoints(bodies: readonly string[]): Promise<CosignedMessage>
}

interface ShowingParts {
  readonly log: Pick<ReceiptLog, 'witnessing' | 'publish'>
  readonly line: WitnessLine
  readonly clock: Clock
  readonly events: Pick<SiteEvents, 'notWitnessed'>
  readonly signal: AbortSignal
  /** Looks whether the log goes on from what the witness saw, where it would not sign. */
  readonly lookAgain: () => Promise<void>
  /** For how long nobody has been answered, in milliseconds. */
  readonly quietMs: () => number
}

/**
 * Shows the log's checkpoints to the witness until `signal` is aborted. Nothing waits for it: a trade goes out under the log's
 * own signature, and the witness's comes after.
 */
export async function showWitnessForEver(given: ShowingParts): Promise<void> {
  const parts: ShowingParts = { ...given, events: toldOnce(given.events) }
  const { clock, signal, log } = parts
  let seen = 0
  let idleRounds = 0
  while (!signal.aborted) {
    await lull(parts)
    try {
      // What was acknowledged and handed to nobody, as a withdrawal is, has to be seen too.
      await log.publish()
      const due = log.witnessing.due()
      for (let start = 0; start < due.length; start += LIMITS.witnessCheckpointsAtOnceMax) {
        if (signal.aborted) return
        seen = await showSome(due.slice(start, start + LIMITS.witnessCheckpointsAtOnceMax), { parts, seen })
        // Some at a time with a breath between: what is served meanwhile must not feel it.
        await clock.sleep(BREATH_MS, signal)
      }
      // A log that is shorter than what was witnessed of it has lost receipts that somebody has.
      const newest = due.at(-1)
      // Another copy may have gone on with it, and this one is told of nothing that would show it.
      idleRounds = newest ? 0 : idleRounds + 1
      if (idleRounds % IDLE_ROUNDS === IDLE_ROUNDS - 1) await parts.lookAgain()
      if (newest && seen > newest.size) await refused({ size: newest.size, status: 409 }, parts)
    } catch {
      // The witness is away, which the line tells; what is due later covers this too.
    }
    await clock.sleep(LIMITS.witnessPauseMs, signal)
  }
}

/** A refusal is told when it is another than the one before: a witness that does not know the site says so each second. */
function toldOnce(events: ShowingParts['events']): ShowingParts['events'] {
  let told = ''
  return {
    notWitnessed: (facts) => {
      const said = `${facts.size} ${facts.status}`
      if (said !== told) events.notWitnessed(facts)
      told = said
    },
  }
}

const BREATH_MS = 15

/** Rounds without anything to show after which it is asked once more what the witness saw. */
const IDLE_ROUNDS = 5

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

/** Shows some, by size; gives the size that the witness has seen then. After a restart it is the witness that remembers. */
async function showSome(
  checkpoints: readonly Published[],
  { parts, seen }: { parts: ShowingParts; seen: number },
): Promise<number> {
  let from = seen
  let rest = checkpoints
  // Each round is done with one at least, or learns once where the witness stands.
  for (let hasAsked = false; ;) {
    // Those before what it has seen are covered.
    rest = rest.filter(({ size }) => size >= from)
    if (rest.length === 0) return from
    const { lines, stopped } = await parts.line.showCheckpoints(await bodiesOf(rest, { parts, from }))
    const newest = rest[lines.length - 1]
    if (newest) from = await take(lines.at(-1) ?? '', { checkpoint: newest, parts })
    rest = rest.slice(lines.length)
    if (stopped?.size !== undefined && !hasAsked) {
      from = stopped.size
      hasAsked = true
      continue
    }
    const [unsigned, ...others] = rest
    if (!unsigned) return from
    await refused({ size: unsigned.size, status: stopped?.status ?? 200 }, parts)
    rest = others
  }
}

async function refused(facts: { size: number; status: number }, parts: ShowingParts): Promise<void> {
  parts.events.notWitnessed(facts)
  await parts.lookAgain()
}

/** What is sent for each: from which size its proof leads, the proof, and the checkpoint. */
async function bodiesOf(
  checkpoints: readonly Published[],
  { parts: { log }, from }: { parts: ShowingParts; from: number },
): Promise<readonly string[]> {
  const bodies: string[] = []
  let old = from
  for (const { size, note } of checkpoints) {
    const proof = old === 0 || old === size ? [] : await log.witnessing.consistency(old, size)
    bodies.push([`old ${old}`, ...proof, '', note].join('\n'))
    old = size
  }
  return bodies
}

/** Only what verifies by the witness's own key is served: the newest; the cosignatures of the others are the witness's to give. */
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
