import { sql } from 'kysely'
import { Fault } from '../../kernel/faults.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { GrantTerms } from '../../protocol/consent/grant.ts'
import type { DataSetId } from '../../protocol/wire.ts'

/** One guardian's yes to terms that others have to agree to as well. */
export interface Agreement {
  readonly id: number
  readonly guardianship: string
  readonly person: number
  readonly terms: number
  readonly from: number
  /** `Infinity` for no end. */
  readonly until: number
  readonly agreedAt: number
  readonly wording: GrantTerms
}

/** Agreements of children that wait for another guardian. */
export async function openAgreements(tx: Database, people: readonly number[]): Promise<readonly Agreement[]> {
  const { rows } = await sql<AgreementRow>`
    select a.*, t.terms as wording from guardian_agreement a join consent_terms t on t.id = a.terms
    where a.person = any(${people}::integer[]) and a.grant_sequence is null and a.withdrawn_ms is null
    order by a.id`.execute(tx)
  return rows.map((row) => ({
    id: Number(row.id),
    guardianship: row.guardianship,
    person: row.person,
    terms: row.terms,
    from: Number(row.valid_from_ms),
    until: row.valid_until_ms === null ? Infinity : Number(row.valid_until_ms),
    agreedAt: Number(row.agreed_ms),
    wording: row.wording,
  }))
}

/** Notes an agreement; gives its id, by which its receipt is told apart. */
export async function insertAgreement(
  tx: DatabaseTransaction,
  made: Omit<Agreement, 'id' | 'wording'>,
): Promise<number> {
  const { rows } = await sql<{ id: bigint }>`
    insert into guardian_agreement (guardianship, person, terms, valid_from_ms, valid_until_ms, agreed_ms, receipt)
    values (${made.guardianship}, ${made.person}, ${made.terms}, ${made.from},
      ${made.until === Infinity ? null : made.until}, ${made.agreedAt}, -1) returning id`.execute(tx)
  const [row] = rows
  if (row) return Number(row.id)
  throw new Fault('fault.internal', { what: 'An agreement got no number' })
}

export async function saveAgreementReceipt(
  tx: DatabaseTransaction,
  { id, receipt }: { id: number; receipt: number },
): Promise<void> {
  await sql`update guardian_agreement set receipt = ${receipt} where id = ${id}`.execute(tx)
}

/** Notes which grant came of agreements; they wait no more. */
export async function fulfilAgreements(
  tx: DatabaseTransaction,
  { ids, grant }: { ids: readonly number[]; grant: number },
): Promise<void> {
  await sql`
    update guardian_agreement set grant_sequence = ${grant} where id = any(${ids}::bigint[])`.execute(tx)
}

/** Grants that stand on a guardianship, by their sequences: those given under it, and those it agreed to. */
export async function grantsUnder(
  tx: DatabaseTransaction,
  { guardianship, person }: { guardianship: string; person: number },
): Promise<ReadonlySet<number>> {
  const { rows } = await sql<{ sequence: bigint }>`
    select g.sequence from consent_grant g where g.person = ${person} and g.guardianship = ${guardianship}
    union select a.grant_sequence from guardian_agreement a
    where a.guardianship = ${guardianship} and a.grant_sequence is not null`.execute(tx)
  return new Set(rows.map(({ sequence }) => Number(sequence)))
}

/** Takes agreements of children on a data set back, as far as they wait; gives how many. */
export async function withdrawAgreements(
  tx: DatabaseTransaction,
  { people, dataSet, now }: { people: readonly number[]; dataSet: DataSetId; now: Instant },
): Promise<number> {
  const { rows } = await sql`
    update guardian_agreement a set withdrawn_ms = ${now} from consent_terms t
    where t.id = a.terms and t.data_set = ${dataSet} and a.person = any(${people}::integer[])
      and a.grant_sequence is null and a.withdrawn_ms is null returning a.id`.execute(tx)
  return rows.length
}

interface AgreementRow {
  readonly id: bigint
  readonly guardianship: string
  readonly person: number
  readonly terms: number
  readonly valid_from_ms: bigint
  readonly valid_until_ms: bigint | null
  readonly agreed_ms: bigint
  readonly wording: GrantTerms
}
