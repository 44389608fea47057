import { sql } from 'kysely'
import type { Instant } from '../../kernel/clock.ts'
import { Mutex } from '../../kernel/mutex.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { keptRows } from '../../protocol/law/retention.ts'
import type { KeptRows } from '../../protocol/law/retention.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { PartitionStore } from '../guard/partition-store.ts'
import type { Vault } from '../vault/vault.ts'

/** What following the days needs of a site: the vault with everything that is still in it. */
export interface RowEndParts {
  readonly db: Database
  readonly vault: Pick<Vault, 'numbersBetween' | 'changes'>
  readonly partitions: Pick<PartitionStore, 'noteChange'>
}

/** From which day on rows count, and by which terms. */
interface RowEnd extends KeptRows {
  readonly period: string
}

/**
 * The day from which on rows are used that end by a date of their own. When a day passes people's rows are other rows, as
 * after a correction: to the guard these people have changed. So a run uses the rows of the day that the guard was told of,
 * and an ask waits until it was told of the ask's own (docs/explanation/why-answers-cannot-be-combined.md). A day
 * that was reached is never gone back behind by the same terms, whatever the clock says.
 */
export class RowEnds {
  readonly #parts: RowEndParts
  readonly #turn = new Mutex()
  readonly #ends: Map<DataSetId, RowEnd>
  /** What the record and the guard know of. */
  readonly #noted: Map<DataSetId, RowEnd>

  private constructor(parts: RowEndParts, ends: ReadonlyMap<DataSetId, RowEnd>) {
    this.#parts = parts
    this.#ends = new Map(ends)
    this.#noted = new Map(ends)
  }

  /** Goes on from what the record knows. */
  static async open(parts: RowEndParts): Promise<RowEnds> {
    const { rows } = await sql<{
      data_set: DataSetId
      date_column: string
      period: string
      kept_from: string
    }>`
      select data_set, date_column, period, kept_from from row_end`.execute(parts.db)
    const ends = rows.map(
      ({ data_set: dataSet, date_column: column, period, kept_from: from }) =>
        [dataSet, { column, period, from }] as const,
    )
    return new RowEnds(parts, new Map(ends))
  }

  /** Which rows a run uses; `undefined` where no row ends by itself. To be fixed when it is planned. */
  kept(dataSet: DataSetId): KeptRows | undefined {
    const end = this.#ends.get(dataSet)
    return end && { column: end.column, from: end.from }
  }

  /** Whether a run that was planned with these rows reads what the guard counts as of now; asked after the guard was looked at. */
  isOf(dataSet: DataSetId, kept: KeptRows | undefined): boolean {
    const now = this.kept(dataSet)
    return now?.column === kept?.column && now?.from === kept?.from
  }

  /** Resolves when the guard has been told of the day of this moment, for each of the data sets. */
  async upTo(manifests: Iterable<Manifest>, now: Instant): Promise<void> {
    for (const manifest of manifests)
      if (this.#isBehind(manifest, now))
        await this.#turn.run(async () => {
          if (this.#isBehind(manifest, now)) await this.#follow(manifest, now)
        })
  }

  #isBehind(manifest: Manifest, now: Instant): boolean {
    const wanted = this.#wanted(manifest, now)
    const { dataSet } = manifest
    return !isSame(this.#noted.get(dataSet), wanted) || !isSame(this.#ends.get(dataSet), wanted)
  }

  #wanted(manifest: Manifest, now: Instant): RowEnd | undefined {
    const kept = keptRows(manifest, now)
    const { rows } = manifest.retention
    if (!kept || !rows) return undefined
    const end = { ...kept, period: rows.period }
    const before = this.#ends.get(manifest.dataSet)
    const isAfter = before?.column === end.column && before.period === end.period && before.from > end.from
    return isAfter ? before : end
  }

  /**
   * First nothing is planned with the old day any more, and what was planned with it is planned again unless it is decided
   * before the guard is told; then the guard is told. Of rows that come in meanwhile it is told too.
   */
  async #follow(manifest: Manifest, now: Instant): Promise<void> {
    const { dataSet } = manifest
    const wanted = this.#wanted(manifest, now)
    setOrDelete(this.#ends, dataSet, wanted)
    const { db, vault, partitions } = this.#parts
    for (;;) {
      const changes = vault.changes()
      // Exactly those whose rows are others: who is counted as changed and is not would hide the few who are.
      const people = await vault.numbersBetween(dataSet, { was: this.#noted.get(dataSet), is: wanted })
      await db.transaction().execute(async (tx) => {
        const cause = `rows from ${wanted?.from ?? 'any day'}`
        if (!people.isEmpty) await partitions.noteChange(tx, { dataSet, people, cause })
        await saveRowEnd(tx, dataSet, wanted)
      })
      if (vault.changes() === changes) break
    }
    setOrDelete(this.#noted, dataSet, wanted)
  }
}

function isSame(left: RowEnd | undefined, right: RowEnd | undefined): boolean {
  return left?.column === right?.column && left?.from === right?.from && left?.period === right?.period
}

function setOrDelete(ends: Map<DataSetId, RowEnd>, dataSet: DataSetId, end: RowEnd | undefined): void {
  if (end) ends.set(dataSet, end)
  else ends.delete(dataSet)
}

async function saveRowEnd(db: Database, dataSet: DataSetId, end: RowEnd | undefined): Promise<void> {
  const saved = end
    ? sql`
        insert into row_end (data_set, date_column, period, kept_from)
        values (${dataSet}, ${end.column}, ${end.period}, ${end.from}::date)
        on conflict (data_set) do update
          set date_column = excluded.date_column, period = excluded.period, kept_from = excluded.kept_from`
    : sql`delete from row_end where data_set = ${dataSet}`
  await saved.execute(db)
}
