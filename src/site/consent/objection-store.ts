import { sql } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import { readTogether } from '../../kernel/postgres/read-together.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { MirroredObjection } from './objections.ts'

/** An objection with its life. */
export interface StoredObjection extends MirroredObjection {
  readonly madeAt: Instant
  readonly madeBy: string
  readonly receipt: number
  readonly withdrawnAt?: Instant | undefined
}

/** Objections of some people, withdrawn ones too, in order; for whoever asks at the same time by one statement. */
export const objectionsOf = readTogether(
  async (db, wanted: readonly (readonly number[])[]): Promise<readonly (readonly StoredObjection[])[]> => {
    const all = [...new Set(wanted.flat())]
    const { rows } = await sql<ObjectionRow>`
      ${KEPT} select o.*, w.withdrawn_ms from objection o left join objection_withdrawal w on w.objection = o.sequence
      where o.person = any(${all}::integer[]) order by o.sequence`.execute(db)
    return wanted.map((people) => {
      const own = new Set(people)
      return rows.filter(({ person }) => own.has(person)).map(objectionOf)
    })
  },
)

/** What a mirror that has seen everything up to a sequence lacks: objections now in force, and those that no longer are. */
export async function objectionChangesAfter(
  db: Database,
  sequence: number,
): Promise<{
  readonly objected: readonly StoredObjection[]
  readonly objectionsWithdrawn: readonly StoredObjection[]
}> {
  const { rows: made } = await sql<ObjectionRow>`
    select o.*, null::bigint as withdrawn_ms from objection o
    where o.sequence > ${sequence}
      and not exists (select from objection_withdrawal w where w.objection = o.sequence)
    order by o.sequence`.execute(db)
  const { rows: withdrawn } = await sql<ObjectionRow>`
    select o.*, w.withdrawn_ms from objection_withdrawal w join objection o on o.sequence = w.objection
    where w.sequence > ${sequence} and o.sequence <= ${sequence} order by w.sequence`.execute(db)
  return { objected: made.map(objectionOf), objectionsWithdrawn: withdrawn.map(objectionOf) }
}

export async function insertObjection(
  tx: DatabaseTransaction,
  { sequence, person, dataSet, purpose, madeAt, madeBy, receipt }: StoredObjection,
): Promise<void> {
  await sql`
    insert into objection (sequence, person, data_set, purpose, made_ms, made_by, receipt)
    values (${sequence}, ${person}, ${dataSet ?? null}, ${purpose}, ${madeAt}, ${madeBy}, ${receipt})`.execute(
    tx,
  )
}

export async function insertObjectionWithdrawal(
  tx: DatabaseTransaction,
  facts: { sequence: number; objection: number; at: Instant; by: string; receipt: number },
): Promise<void> {
  await sql`
    insert into objection_withdrawal (sequence, objection, withdrawn_ms, withdrawn_by, receipt)
    values (${facts.sequence}, ${facts.objection}, ${facts.at}, ${facts.by}, ${facts.receipt})`.execute(tx)
}

interface ObjectionRow {
  readonly sequence: bigint
  readonly person: number
  readonly data_set: string | null
  readonly purpose: string
  readonly made_ms: bigint
  readonly made_by: string
  readonly receipt: bigint
  readonly withdrawn_ms: bigint | null
}

function objectionOf(row: ObjectionRow): StoredObjection {
  return {
    sequence: Number(row.sequence),
    person: row.person,
    ...(row.data_set === null ? {} : { dataSet: row.data_set as DataSetId }),
    purpose: row.purpose,
    madeAt: instant(Number(row.made_ms)),
    madeBy: row.made_by,
    receipt: Number(row.receipt),
    ...(row.withdrawn_ms === null ? {} : { withdrawnAt: instant(Number(row.withdrawn_ms)) }),
  }
}
