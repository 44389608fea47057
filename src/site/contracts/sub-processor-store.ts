import { sql } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { subProcessorFactsSchema } from '../../protocol/law/sub-processor.ts'
import type { SubProcessorAnswer, SubProcessorFacts } from '../../protocol/law/sub-processor.ts'

/** Another processor that was announced under a contract, and the one answer to it. */
export interface StoredSubProcessor {
  readonly id: string
  readonly contract: string
  readonly facts: SubProcessorFacts
  readonly announcedAt: Instant
  readonly answered?:
    | {
        readonly answer: SubProcessorAnswer
        readonly reason?: string | undefined
        readonly at: Instant
        readonly by: string
      }
    | undefined
}

export async function insertSubProcessor(
  tx: DatabaseTransaction,
  { id, contract, facts, now }: { id: string; contract: string; facts: SubProcessorFacts; now: Instant },
): Promise<void> {
  await sql`
    insert into sub_processor_change (id, contract, facts, announced_ms)
    values (${id}, ${contract}, ${JSON.stringify(facts)}::jsonb, ${now})`.execute(tx)
}

/** Whether it was kept: there is one answer. */
export async function insertSubProcessorAnswer(
  tx: DatabaseTransaction,
  answered: {
    change: string
    answer: SubProcessorAnswer
    reason?: string | undefined
    now: Instant
    by: string
  },
): Promise<boolean> {
  const { change, answer, reason = null, now, by } = answered
  const { numAffectedRows = 0n } = await sql`
    insert into sub_processor_answer (change, answer, reason, answered_ms, answered_by)
    values (${change}, ${answer}, ${reason}, ${now}, ${by}) on conflict (change) do nothing`.execute(tx)
  return numAffectedRows > 0n
}

/** All that were announced, newest first; or the one of this id. */
export async function readSubProcessors(db: Database, id?: string): Promise<readonly StoredSubProcessor[]> {
  const which = id === undefined ? sql`true` : sql`c.id = ${id}`
  const { rows } = await sql<SubProcessorRow>`
    select c.id, c.contract, c.facts, c.announced_ms, a.answer, a.reason, a.answered_ms, a.answered_by
    from sub_processor_change c left join sub_processor_answer a on a.change = c.id
    where ${which} order by c.number desc`.execute(db)
  return rows.map(storedOf)
}

interface SubProcessorRow {
  readonly id: string
  readonly contract: string
  readonly facts: unknown
  readonly announced_ms: bigint
  readonly answer: SubProcessorAnswer | null
  readonly reason: string | null
  readonly answered_ms: bigint | null
  readonly answered_by: string | null
}

function storedOf(row: SubProcessorRow): StoredSubProcessor {
  const { id, contract, facts, announced_ms, answer, reason, answered_ms, answered_by } = row
  return {
    id,
    contract,
    facts: subProcessorFactsSchema.parse(facts),
    announcedAt: instant(Number(announced_ms)),
    ...(answer === null
      ? {}
      : {
          answered: {
            answer,
            ...(reason === null ? {} : { reason }),
            at: instant(Number(answered_ms)),
            by: answered_by ?? '',
          },
        }),
  }
}
