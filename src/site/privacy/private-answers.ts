import { createSecretKey } from 'node:crypto'
import { sql } from 'kysely'
import { z } from 'zod'
import type { Instant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { Random } from '../../kernel/random.ts'
import type { Secret } from '../../kernel/secret.ts'
import { releaseSchema } from '../../protocol/release.ts'
import { open, seal } from '../vault/keys/seal-cell.ts'

/**
 * A noisy answer as it was given, kept to be given again: noise that is drawn anew for an equal question could be
 * averaged away, and would cost everybody's budget once more. At rest it is under the site's own key.
 */
const keptAnswerSchema = z.strictObject({
  release: releaseSchema,
  noisyPeople: z.number(),
})
export type KeptAnswer = z.infer<typeof keptAnswerSchema>

/** Which answer: whose, and to what in which state of the data (a digest). */
export interface AnswerName {
  readonly acquirer: string
  readonly question: string
}

/** The answer to an equal question about unchanged data, if it was given before. */
export async function findKeptAnswer(
  db: Database,
  name: AnswerName,
  key: Secret<Uint8Array>,
): Promise<KeptAnswer | undefined> {
  const { rows } = await sql<{ release: Uint8Array }>`
    select release from private_answer where acquirer = ${name.acquirer} and question = ${name.question}`.execute(
    db,
  )
  const [row] = rows
  if (row === undefined) return undefined
  const opened = open(row.release, { key: createSecretKey(key.reveal()), context: contextOf(name) })
  // It was debited, and noise drawn anew beside it would tell more: this must not be passed over.
  if (opened === undefined)
    throw new Fault('fault.internal', { what: 'Cannot open a kept answer: the key of the site is another' })
  return keptAnswerSchema.parse(JSON.parse(new TextDecoder().decode(opened)))
}

/** Keeps an answer in the transaction that gives it. A second answer to an equal question is refused as overload: it is found instead. */
export async function keepPrivateAnswer(
  tx: DatabaseTransaction,
  kept: AnswerName & { readonly ask: string; readonly answer: KeptAnswer; readonly now: Instant },
  { key, random }: { key: Secret<Uint8Array>; random: Random },
): Promise<void> {
  const sealed = seal(JSON.stringify(kept.answer), {
    key: key.reveal(),
    nonce: random.bytes(12),
    context: contextOf(kept),
  })
  const { rows } = await sql`
    insert into private_answer (acquirer, question, ask_id, release, decided_ms)
    values (${kept.acquirer}, ${kept.question}, ${kept.ask}, ${Buffer.from(sealed)}, ${kept.now})
    on conflict do nothing returning 1`.execute(tx)
  if (rows.length !== 1)
    throw new Fault('fault.overloaded', { what: 'Cannot release: an equal ask was answered meanwhile' })
}

/** Answers that are sealed anew in one statement. */
const ANSWERS_AT_ONCE = 200

/** Seals every kept answer under another key. */
export async function resealAnswers(
  tx: DatabaseTransaction,
  { from, to, random }: { from: Secret<Uint8Array>; to: Secret<Uint8Array>; random: Random },
): Promise<void> {
  const [before, next] = [createSecretKey(from.reveal()), createSecretKey(to.reveal())]
  for (let last: AnswerName = { acquirer: '', question: '' }; ;) {
    const { rows } = await sql<AnswerName & { release: Uint8Array }>`
      select acquirer, question, release from private_answer
      where (acquirer, question) > (${last.acquirer}, ${last.question})
      order by acquirer, question limit ${ANSWERS_AT_ONCE}`.execute(tx)
    const sealed = rows.map((row) => {
      const context = contextOf(row)
      const opened = open(row.release, { key: before, context })
      // One that does not open is refused when it is asked for, before and after.
      return Buffer.from(
        opened === undefined ? row.release : seal(opened, { key: next, nonce: random.bytes(12), context }),
      )
    })
    await sql`
      update private_answer as kept set release = made.release
      from unnest(${rows.map(({ acquirer }) => acquirer)}::text[],
        ${rows.map(({ question }) => question)}::text[], ${sealed}::bytea[]) as made (acquirer, question, release)
      where kept.acquirer = made.acquirer and kept.question = made.question`.execute(tx)
    const end = rows.at(-1)
    if (end === undefined) return
    last = end
  }
}

function contextOf({ acquirer, question }: AnswerName): Uint8Array {
  return Buffer.from(`private-answer\0${acquirer}\0${question}`)
}
