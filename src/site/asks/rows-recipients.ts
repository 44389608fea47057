import { inflateSync } from 'node:zlib'
import { sql } from 'kysely'
import { Bitset } from '../../kernel/bitset.ts'
import { peekJws } from '../../kernel/crypto/jws.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { packBitset } from '../../kernel/pack-bitset.ts'
import { receiptSchema } from '../../protocol/proof/receipt.ts'
import { dataSetIdSchema } from '../../protocol/wire.ts'
import type { AskId, DataSetId, MemberId } from '../../protocol/wire.ts'
import { asksGivenRowsOf } from './rows-given.ts'

/** Rows of one person that were let out, of one data set in one release. */
export interface DisclosedRows {
  readonly askId: AskId
  readonly acquirer: MemberId
  readonly purpose: string
  /** The data set that was asked for, which the pseudonym is of, whatever else the question joined. */
  readonly offer: DataSetId
  /** The data set whose rows they are. */
  readonly dataSet: DataSetId
  /** Columns of it that the question used, wherever in it. */
  readonly columns: readonly string[]
  readonly release: Digest | undefined
  readonly releaseTo: string
  /** The number that the rows had: the person's own, or that of a household that they are in. */
  readonly knownAs: number
  /** False while the network has not confirmed that it has the answer; one given on the local network has gone out. */
  readonly isPushed: boolean
}

/** Uses whose people are unpacked at one time. */
const PAGE = 200

/**
 * Every release of rows with a person in it, newest first, once for each number under which it has them: who has to be
 * told (GDPR Art. 17(2), 19).
 */
export async function rowsDisclosed(
  db: Database,
  { person, numbers }: { person: number; numbers: readonly number[] },
): Promise<readonly DisclosedRows[]> {
  const found: { readonly disclosed: DisclosedRows; readonly id: bigint }[] = []
  const asks = await asksGivenRowsOf(db, person)
  for (let start = 0; start < asks.length; start += PAGE)
    for (const row of await readUses(db, asks.slice(start, start + PAGE)))
      if (Bitset.fromBytes(inflateSync(row.people)).has(person))
        for (const knownAs of numbersIn(row.numbers, numbers))
          found.push({ disclosed: { ...disclosedOf(row), knownAs }, id: row.id })
  return found.toSorted((a, b) => (a.id < b.id ? 1 : -1)).map(({ disclosed }) => disclosed)
}

/** Of a person's numbers those that rows of a release had; rows that are each about one person had their own. */
function numbersIn(packed: Uint8Array | null, theirs: readonly number[]): readonly number[] {
  if (packed === null) return theirs.slice(0, 1)
  const numbers = Bitset.fromBytes(inflateSync(packed))
  return theirs.filter((number) => numbers.has(number))
}

/** Of a person's numbers those under which an acquirer was given rows by an ask. */
export async function numbersGiven(
  db: Database,
  { ask, theirs }: { ask: AskId; theirs: readonly number[] },
): Promise<readonly number[]> {
  if (theirs.length === 1) return theirs
  const { rows } = await sql<{ numbers: Uint8Array }>`
    select numbers from shared_use where ask_id = ${ask}`.execute(db)
  return numbersIn(rows[0]?.numbers ?? null, theirs)
}

/** Keeps which numbers the rows of a release had, where some are about several people. */
export async function keepNumbers(
  tx: DatabaseTransaction,
  { ask, numbers }: { ask: AskId; numbers: Bitset },
): Promise<void> {
  const packed = packBitset(numbers)
  await sql`insert into shared_use (ask_id, numbers) values (${ask}, ${packed})`.execute(tx)
}

interface DisclosureRow {
  readonly numbers: Uint8Array | null
  readonly id: bigint
  readonly ask_id: AskId
  readonly acquirer: MemberId
  readonly purpose: string
  readonly data_set: DataSetId
  readonly columns: readonly string[]
  readonly release: Digest | null
  readonly release_to: string
  readonly is_pushed: boolean
  readonly receipt: string
  readonly people: Uint8Array
}

async function readUses(db: Database, asks: readonly AskId[]): Promise<readonly DisclosureRow[]> {
  const { rows } = await sql<DisclosureRow>`
    select s.numbers, u.id, u.ask_id, u.acquirer, u.purpose, u.data_set, u.columns, u.release_to, u.people, r.jws as receipt,
      a.decision ->> 'releaseDigest' as release, a.pushed_ms is not null or a.floor_limit is not null as is_pushed
    from use_record u join answer a on a.ask_id = u.ask_id join receipt r on r.sequence = u.receipt_sequence
      left join shared_use s on s.ask_id = u.ask_id
    where u.mode = 'rows' and u.ask_id = any(${asks}::text[])`.execute(db)
  return rows
}

function disclosedOf(row: DisclosureRow): Omit<DisclosedRows, 'knownAs'> {
  const receipt = receiptSchema.safeParse(JSON.parse(peekJws(row.receipt)?.payload ?? 'null'))
  const offer = dataSetIdSchema.safeParse(receipt.success ? receipt.data.dataSet : undefined)
  return {
    askId: row.ask_id,
    acquirer: row.acquirer,
    purpose: row.purpose,
    offer: offer.success ? offer.data : row.data_set,
    dataSet: row.data_set,
    columns: row.columns,
    release: row.release ?? undefined,
    releaseTo: row.release_to,
    isPushed: row.is_pushed,
  }
}
