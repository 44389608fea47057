import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Digest } from '../../kernel/digest.ts'
import { formatInstant, instant } from '../../kernel/clock.ts'
import type { Clock, Instant } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { SiteContext } from '../site-context.ts'
import type { RequestMark } from '../record/request-mark.ts'
import type { HAND_OVER_PARTS, HandOverArrival } from '../../protocol/http/hand-over-api.ts'

type Part = (typeof HAND_OVER_PARTS)[number]

/** What was sent of a data set, whole. */
export interface SentPart {
  readonly dataSet: string
  readonly part: Part
  /** The issuer. */
  readonly to: string
}

/** Where hand-overs are noted. What was sent stands there as a keyed mark, because a digest of few rows would tell them to whoever guesses. */
interface HandOverNotes {
  readonly db: Database
  readonly clock: Clock
  readonly mark: RequestMark
}

/**
 * Bytes as they are sent, noted when all of them have been: with the mark of their digest, by which whoever got them can say that they arrived. An answer
 * that breaks off is noted by nobody.
 */
function notedWhole(
  body: ReadableStream<Uint8Array>,
  { db, clock, mark, sent }: HandOverNotes & { readonly sent: SentPart },
): ReadableStream<Uint8Array> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(piece, controller) {
        hash.update(piece)
        sizeBytes += piece.byteLength
        controller.enqueue(piece)
      },
      async flush() {
        const { dataSet, part, to } = sent
        await sql`
          insert into hand_over (data_set, part, mark, size_bytes, handed_to, handed_ms)
          values (${dataSet}, ${part}, ${mark(`sha-256:${hash.digest('hex')}`)}, ${sizeBytes}, ${to}, ${clock.now()})`.execute(
          db,
        )
      },
    }),
  )
}

/** Notes that what was sent arrived, once; `undefined` when nothing with this digest was sent whole. */
async function noteArrival(
  { db, clock, mark }: HandOverNotes,
  { dataSet, part, digest }: { dataSet: string; part: Part; digest: Digest },
): Promise<HandOverArrival | undefined> {
  await sql`
    insert into hand_over_arrival (hand_over, arrived_ms)
    select number, ${clock.now()}::bigint from hand_over
    where data_set = ${dataSet} and part = ${part} and mark = ${mark(digest)} order by number desc limit 1
    on conflict do nothing`.execute(db)
  const { rows } = await sql<{ size_bytes: bigint; arrived_ms: bigint }>`
    select h.size_bytes, a.arrived_ms from hand_over h join hand_over_arrival a on a.hand_over = h.number
    where h.data_set = ${dataSet} and h.part = ${part} and h.mark = ${mark(digest)} order by h.number desc limit 1`.execute(
    db,
  )
  const [row] = rows
  return (
    row && {
      part,
      digest,
      sizeBytes: Number(row.size_bytes),
      arrivedAt: formatInstant(instant(Number(row.arrived_ms))),
    }
  )
}

/** Which parts of a data set arrived since some moment, and when last. */
export async function arrivedSince(
  db: Database,
  { dataSet, since }: { dataSet: string; since: Instant },
): Promise<ReadonlyMap<string, Instant>> {
  const { rows } = await sql<{ part: string; arrived_ms: bigint }>`
    select h.part, max(a.arrived_ms) as arrived_ms from hand_over h join hand_over_arrival a on a.hand_over = h.number
    where h.data_set = ${dataSet} and h.handed_ms >= ${since} group by h.part`.execute(db)
  return new Map(rows.map(({ part, arrived_ms }) => [part, instant(Number(arrived_ms))]))
}

/** The same in the forms of the door. */
export function handOverNotes({ db, clock, consent }: Pick<SiteContext, 'db' | 'clock' | 'consent'>) {
  const notes = { db, clock, mark: consent.requestMark }
  return {
    notedWhole: (body: ReadableStream<Uint8Array>, sent: SentPart) => notedWhole(body, { ...notes, sent }),
    noteArrival: (arrived: Omit<SentPart, 'to'> & { digest: Digest }) => noteArrival(notes, arrived),
  }
}
