import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import type { Bitset } from '../../kernel/bitset.ts'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import { packBitset } from '../../kernel/pack-bitset.ts'
import type { ReasonCode } from '../../protocol/reason.ts'
import type { ReceiptKind } from '../../protocol/proof/receipt.ts'
import type { AskId, DataSetId } from '../../protocol/wire.ts'
import type { IssuedReceipt } from '../../transparency/receipt-log.ts'
import { isRenumbered } from '../../transparency/receipt-store.ts'
import { cutFault } from '../guard/partition-record.ts'
import { besideValues } from './beside-answer.ts'
import type { BesideAnswer } from './beside-answer.ts'

/** What the site has answered to an ask: the signed parts of the message, as they were decided. */
export interface StoredAnswer {
  readonly askId: AskId
  readonly askDigest: Digest
  readonly acquirer: string
  /** The decision's payload, for the operator. */
  readonly decision: unknown
  readonly decisionJws: string
  readonly releaseJwe?: string | undefined
  readonly clearingJws?: string | undefined
  /** The floor limit that it is booked on, if it came on the local network. */
  readonly floorLimit?: string | undefined
  readonly receiptSequences: readonly number[]
  readonly decidedAt: Instant
  /** It is known to hold no rows of people; not kept, so that what is read back may hold some. */
  readonly isWithoutRows?: boolean | undefined
}

/** Whose data a release used: the history that each of them can see. */
export interface UseRecord {
  readonly askId: AskId
  readonly dataSet: DataSetId
  readonly acquirer: string
  readonly purpose: string
  readonly mode: string
  /** Columns that the question used, wherever in it. */
  readonly columns: readonly string[]
  readonly reason: ReasonCode
  /** Where the receipt of the release stands in the log. */
  readonly receiptSequence: number
  readonly releaseTo: string
  readonly time: Instant
  readonly priceMinor: bigint
  /** The subjects' share of the price, for all of them together. */
  readonly subjectsMinor: bigint
  readonly currency: string
  readonly people: Bitset
}

/** What a reservation writes. */
export interface KeptAnswer {
  /** The number of the first receipt. */
  readonly first: number
  readonly receipts: readonly IssuedReceipt[]
  readonly kinds: readonly ReceiptKind[]
  readonly answer: Omit<StoredAnswer, 'receiptSequences'>
  /** Whose data was used; the last receipt is that of the release. */
  readonly uses: readonly Omit<UseRecord, 'receiptSequence'>[]
  readonly beside: BesideAnswer
}

/**
 * Writes an answer with its receipts and uses and what stands beside it. A second answer to one ask is a bug, stopped by
 * the primary key.
 *
 * @throws Fault `fault.overloaded` when another answer cut a partition meanwhile
 */
export async function keepAnswer(tx: DatabaseTransaction, kept: KeptAnswer): Promise<void> {
  await sql`${KEPT} select keep_answer(${writtenValues(kept)})`.execute(tx).catch((error: unknown) => {
    throw cutFault(error)
  })
}

/** What a reservation stands on: the consent sequence, unless nobody's data was used, and how often rows had changed. */
export interface ReservedOn {
  readonly consent: number | null
  readonly changes: ReadonlyMap<string, number>
}

/**
 * The same once it is certain that what it stands on has not changed, in one statement: `renumber` when others took the
 * numbers that the receipts were signed with.
 *
 * @throws Fault `fault.overloaded` when another answer cut a partition meanwhile
 */
export async function keepAnswerAtOnce(
  db: Database,
  { consent, changes }: ReservedOn,
  kept: KeptAnswer,
): Promise<'kept' | 'changed' | 'renumber'> {
  try {
    const { rows } = await sql<{ kept: boolean }>`
      ${KEPT} select reserve_answer(${consent}::bigint, ${[...changes.keys()]}::text[], ${[...changes.values()]}::integer[],
        ${writtenValues(kept)}) as kept`.execute(db)
    return rows[0]?.kept === true ? 'kept' : 'changed'
  } catch (error) {
    if (isRenumbered(error)) return 'renumber'
    throw cutFault(error)
  }
}

/** The parameters of `keep_answer`. */
function writtenValues({ first, receipts, kinds, answer, uses, beside }: KeptAnswer): RawBuilder<unknown> {
  const texts = receipts.map(({ jws }) => jws)
  const people = uses.map((use) => packBitset(use.people))
  return sql`${first}::bigint, ${kinds}::text[], ${texts}::text[],
      ${answer.askId}, ${answer.askDigest}, ${answer.acquirer}, ${JSON.stringify(answer.decision)}::jsonb, ${answer.decisionJws},
      ${answer.releaseJwe ?? null}, ${answer.clearingJws ?? null}, ${answer.decidedAt}::bigint,
      ${JSON.stringify(uses.map(wireUse))}::jsonb, ${people}::bytea[], ${besideValues({ ...beside, given: givenBy(answer.askId, uses) })}`
}

/** Whose rows a release of rows gave. */
function givenBy(ask: AskId, uses: readonly Pick<UseRecord, 'mode' | 'people'>[]): BesideAnswer['given'] {
  const [first, ...others] = uses.filter(({ mode }) => mode === 'rows')
  return first && { ask, people: others.reduce((all, { people }) => all.union(people), first.people) }
}

function wireUse(use: Omit<UseRecord, 'receiptSequence'>, index: number): object {
  return {
    place: index + 1,
    data_set: use.dataSet,
    purpose: use.purpose,
    mode: use.mode,
    columns: use.columns,
    reason: use.reason,
    release_to: use.releaseTo,
    price_minor: use.priceMinor.toString(),
    subjects_minor: use.subjectsMinor.toString(),
    currency: use.currency,
  }
}

/** The answer to an ask, if there is one. */
export async function findAnswer(db: Database, askId: AskId): Promise<StoredAnswer | undefined> {
  const { rows } = await sql<AnswerRow>`${KEPT} select * from answer where ask_id = ${askId}`.execute(db)
  return rows[0] && answerOf(rows[0])
}

/** Answers that the network has not acknowledged, oldest first: the outbox. Those on floor limits are cleared on their own. */
export async function unpushedAnswers(db: Database, limit: number): Promise<readonly StoredAnswer[]> {
  const { rows } = await sql<AnswerRow>`
    select * from answer where pushed_ms is null and floor_limit is null order by decided_ms limit ${limit}`.execute(
    db,
  )
  return rows.map(answerOf)
}

/** Answers on floor limits that the network has not captured, oldest first. */
export async function answersToClear(db: Database, limit: number): Promise<readonly StoredAnswer[]> {
  const { rows } = await sql<AnswerRow>`
    select * from answer where pushed_ms is null and floor_limit is not null order by decided_ms limit ${limit}`.execute(
    db,
  )
  return rows.map(answerOf)
}

/**
 * The network has the answer. That is forced to the disk where it may hold rows of people, because it decides who is told when
 * one of them is erased. Otherwise forcing it would only be in the way of the next ask: a mark that a power failure loses has
 * the answer sent again, which the network answers as before.
 */
export async function markPushed(
  db: Database,
  { askId, isWithoutRows = false, now }: Pick<StoredAnswer, 'askId' | 'isWithoutRows'> & { now: Instant },
): Promise<void> {
  const setting = isWithoutRows ? sql`set_config('synchronous_commit', 'off', true)` : sql`null`
  await sql`
    ${KEPT} with forced as materialized (select ${setting})
    update answer set pushed_ms = ${now} from forced where ask_id = ${askId} and pushed_ms is null`.execute(
    db,
  )
}

interface AnswerRow {
  readonly ask_id: string
  readonly ask_digest: string
  readonly acquirer: string
  readonly decision: unknown
  readonly decision_jws: string
  readonly release_jwe: string | null
  readonly clearing_jws: string | null
  readonly floor_limit: string | null
  readonly receipt_sequences: readonly (bigint | string)[]
  readonly decided_ms: bigint
}

function answerOf(row: AnswerRow): StoredAnswer {
  return {
    askId: row.ask_id as AskId,
    askDigest: row.ask_digest as Digest,
    acquirer: row.acquirer,
    decision: row.decision,
    decisionJws: row.decision_jws,
    releaseJwe: row.release_jwe ?? undefined,
    clearingJws: row.clearing_jws ?? undefined,
    floorLimit: row.floor_limit ?? undefined,
    receiptSequences: row.receipt_sequences.map(Number),
    decidedAt: instant(Number(row.decided_ms)),
  }
}
