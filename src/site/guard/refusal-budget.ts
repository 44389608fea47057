import { sql } from 'kysely'
import type { Instant } from '../../kernel/clock.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'

/** How often something may be held back from one acquirer (or group) over one data set, in a window that moves. */
export interface RefusalLimits {
  readonly most: number
  readonly windowMs: number
}

/** Whose budget, and what a refusal would follow from. */
export interface RefusalKey {
  readonly acquirerGroup: string
  readonly dataSets: readonly string[]
  readonly ask: string
  /** Names the question and everything else that decides about it (`refusalStateOf`). */
  readonly state: string
  readonly now: Instant
}

/** What is left, and how much was noted for the same before: that tells nothing new and costs nothing. */
export interface RefusalBudget {
  readonly left: number
  readonly noted: number
}

/** What is left of what was held back in the window. */
export function budgetLeft(
  { spent, noted }: { readonly spent: number; readonly noted: number },
  { most }: RefusalLimits,
): RefusalBudget {
  return { left: Math.max(0, most - spent), noted }
}

/**
 * What may still be held back. A refusal that depends on people is an answer of one bit about them, so there are only so
 * many of them (`docs/explanation/why-answers-cannot-be-combined.md`); of several data sets the scarcest counts.
 */
export async function readRefusals(
  db: Database,
  { acquirerGroup, dataSets, state, now }: RefusalKey,
  limits: RefusalLimits,
): Promise<RefusalBudget> {
  const { rows } = await sql<{ spent: number; noted: number }>`
    select sum(withheld)::integer as spent, coalesce(sum(withheld) filter (where state = ${state}), 0)::integer as noted
    from guard_refusal
    where acquirer_group = ${acquirerGroup} and data_set = any(${[...dataSets]}::text[]) and time_ms > ${now - limits.windowMs}
    group by data_set`.execute(db)
  const spent = rows.reduce((largest, row) => Math.max(largest, row.spent), 0)
  const noted = rows.reduce((least, row) => Math.min(least, row.noted), rows[0]?.noted ?? 0)
  return budgetLeft({ spent, noted }, limits)
}

/** Notes that so much was held back; before whoever asked can learn of it. */
export async function debitRefusals(
  db: Database,
  { acquirerGroup, dataSets, ask, state, now }: RefusalKey,
  withheld: number,
): Promise<void> {
  await sql`
    insert into guard_refusal (acquirer_group, data_set, ask_id, state, withheld, time_ms)
    select ${acquirerGroup}, data_set, ${ask}, ${state}, ${withheld}, ${now}::bigint
    from unnest(${[...dataSets]}::text[]) as used (data_set)`.execute(db)
}

/** What was held back from each of several was held back from the group that they are from here on. */
export async function joinRefusals(
  tx: DatabaseTransaction,
  { into, from }: { into: string; from: readonly string[] },
): Promise<void> {
  await sql`
    insert into guard_refusal (acquirer_group, data_set, ask_id, state, withheld, time_ms)
    select ${into}, data_set, ask_id, state, withheld, time_ms from guard_refusal
    where acquirer_group = any(${[...from]}::text[])`.execute(tx)
}
