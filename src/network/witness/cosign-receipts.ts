import { sql } from 'kysely'
import { parseCheckpoint, readNote } from '../../protocol/proof/checkpoint.ts'
import { withCosignature } from '../../protocol/proof/cosignature.ts'
import type { AskStateMessage } from '../authorisation/ask-state.ts'
import type { WitnessParts } from './cosign-checkpoint.ts'
import { byPresentKey } from './sign-by-present-key.ts'

/**
 * Puts under the checkpoints of an ask's receipts what the witness has signed of them since: a trade does not wait for a
 * witness, and whoever looks at it later has its word.
 */
export async function withCosignatures(
  { db, keys }: Pick<WitnessParts, 'db' | 'keys'>,
  state: AskStateMessage,
): Promise<AskStateMessage> {
  const notes = [
    ...new Set(state.sites.flatMap(({ receipts = [] }) => receipts.map(({ log }) => log.checkpoint))),
  ]
  const lines = await linesFor({ db, keys }, notes)
  if (lines.size === 0) return state
  return {
    ...state,
    sites: state.sites.map((site) => ({
      ...site,
      receipts: (site.receipts ?? []).map(({ receipt, log }) => {
        const line = lines.get(log.checkpoint)
        const checkpoint = line === undefined ? log.checkpoint : withCosignature(log.checkpoint, line)
        return { receipt, log: { ...log, checkpoint } }
      }),
    })),
  }
}

/** The cosignature of each checkpoint that has one: of the same log, size and root. */
async function linesFor(
  { db, keys }: Pick<WitnessParts, 'db' | 'keys'>,
  notes: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const wanted = notes.flatMap((note, place) => {
    const checkpoint = parseCheckpoint(readNote(note)?.text ?? '')
    return checkpoint
      ? [{ place, origin: checkpoint.origin, size: checkpoint.size, root: checkpoint.root.toHex() }]
      : []
  })
  if (wanted.length === 0) return new Map()
  const { rows } = await sql<{ place: number; line: string }>`
    select w.place, c.line from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) as w(place integer, origin text, size bigint, root text)
      join cosignature c on c.origin = w.origin and c.size = w.size and c.root = decode(w.root, 'hex')`.execute(
    db,
  )
  return new Map(
    rows.map(({ place, line }) => {
      const note = notes[place] ?? ''
      return [note, byPresentKey(line, readNote(note)?.text ?? '', keys)]
    }),
  )
}
