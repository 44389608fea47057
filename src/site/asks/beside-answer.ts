import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import type { Bitset } from '../../kernel/bitset.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import { packBitset } from '../../kernel/pack-bitset.ts'
import type { AskId } from '../../protocol/wire.ts'
import { cutFault, wireCuts } from '../guard/partition-record.ts'
import type { WrittenCut } from '../guard/partition-record.ts'
import type { RefusalKey } from '../guard/refusal-budget.ts'
import type { UsedColumns } from '../metering/column-uses.ts'
import { slicesOf } from './rows-given.ts'

/** A release as equal asks get it: sealed to the site's own key. */
export interface WrittenRelease {
  readonly acquirerGroup: string
  readonly epoch: string
  readonly ask: AskId
  readonly sealed: string
  readonly people: Bitset
  readonly now: Instant
}

/** What becomes true together with an answer and beside it, by the same statement (`keep_beside`, migration 0261). */
export interface BesideAnswer {
  /** Cuts of the guard. */
  readonly cuts?: readonly WrittenCut[] | undefined
  /** Rows that were held back because of who stands behind them. */
  readonly withheld?: { readonly key: RefusalKey; readonly rows: number } | undefined
  /** Kept for equal asks; the first of an epoch stays. */
  readonly release?: WrittenRelease | undefined
  /** The map of use counts what was released. */
  readonly columns?: UsedColumns | undefined
  /** Of a release of rows: whose they are. */
  readonly given?: { readonly ask: AskId; readonly people: Bitset } | undefined
}

/** What stands beside an answer as the parameters of `keep_beside`. */
export function besideValues({
  cuts = [],
  withheld,
  release,
  columns,
  given,
}: BesideAnswer): RawBuilder<unknown> {
  const bytes: Uint8Array[] = []
  const wire = {
    ...(cuts.length > 0 && { cuts: wireCuts(cuts, bytes) }),
    ...(withheld && { withheld: wireWithheld(withheld) }),
    ...(release && { release: wireRelease(release, bytes) }),
    ...(columns && columns.uses.length > 0 && { columns: wireColumns(columns) }),
    ...(given && { given: { ask_id: given.ask, slices: slicesOf(given.people) } }),
  }
  const isNothing = Object.keys(wire).length === 0
  return sql`${isNothing ? null : JSON.stringify(wire)}::jsonb, ${bytes}::bytea[]`
}

/**
 * Keeps it without an answer.
 *
 * @throws Fault `fault.overloaded` when another answer cut a partition meanwhile
 */
export async function writeBeside(db: Database, beside: BesideAnswer): Promise<void> {
  const isNothing = (beside.cuts ?? []).length === 0 && !beside.withheld && !beside.release && !beside.columns
  if (isNothing && !beside.given) return
  await sql`${KEPT} select keep_beside(${besideValues(beside)})`.execute(db).catch((error: unknown) => {
    throw cutFault(error)
  })
}

function wireWithheld({ key, rows }: NonNullable<BesideAnswer['withheld']>): object {
  return {
    acquirer_group: key.acquirerGroup,
    data_sets: key.dataSets,
    ask_id: key.ask,
    state: key.state,
    withheld: rows,
    time_ms: key.now,
  }
}

function wireRelease(release: WrittenRelease, bytes: Uint8Array[]): object {
  return {
    acquirer_group: release.acquirerGroup,
    epoch: release.epoch,
    ask_id: release.ask,
    sealed: release.sealed,
    people: bytes.push(packBitset(release.people)),
    stored_ms: release.now,
  }
}

function wireColumns({ acquirer, purpose, uses, now }: UsedColumns): object {
  return {
    acquirer,
    purpose,
    time_ms: now,
    uses: uses.map(({ dataSet, column, clause }) => ({ data_set: dataSet, column_name: column, clause })),
  }
}
