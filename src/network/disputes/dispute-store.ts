import { sql } from 'kysely'
import { formatInstant, instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Currency } from '../../kernel/currency.ts'
import { money } from '../../kernel/money.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { RawBuilder } from 'kysely'
import type {
  DisputeMessage,
  DisputeReason,
  DisputeSide,
  DisputeState,
} from '../../protocol/money/dispute.ts'
import { wireMoney } from '../../protocol/wire.ts'

/** A dispute as the record has it. */
export interface StoredDispute {
  readonly number: bigint
  readonly id: string
  readonly ask: string
  readonly site: string
  readonly side: DisputeSide
  readonly data_set: string
  readonly acquirer: string
  readonly issuer: string
  readonly custodian: string
  readonly raised_by: string
  readonly reason: DisputeReason
  readonly statement: string
  readonly claim_minor: bigint | null
  readonly currency: Currency
  readonly raised_at: Instant
  readonly answer_by: Instant
  readonly answer: StepRow | null
  readonly end: StepRow | null
  readonly deletion: StepRow | null
}

interface StepRow {
  readonly state: DisputeState | 'deleted'
  readonly by_party: string
  readonly said: string | null
  readonly credit_minor: number | null
  readonly deletion: boolean
  readonly made_ms: number
}

export type NewDispute = Pick<
  StoredDispute,
  | 'id'
  | 'ask'
  | 'site'
  | 'side'
  | 'acquirer'
  | 'issuer'
  | 'custodian'
  | 'raised_by'
  | 'reason'
  | 'statement'
  | 'claim_minor'
  | 'currency'
  | 'raised_at'
  | 'answer_by'
>

export async function insertDispute(tx: DatabaseTransaction, dispute: NewDispute): Promise<void> {
  const { id, ask, site, side, acquirer, issuer, custodian, raised_by, reason } = dispute
  await sql`
    insert into dispute (id, ask, site, side, acquirer, issuer, custodian, raised_by, reason, statement, claim_minor,
      currency, raised_at, answer_by)
    values (${id}, ${ask}, ${site}, ${side}, ${acquirer}, ${issuer}, ${custodian}, ${raised_by}, ${reason},
      ${dispute.statement}, ${dispute.claim_minor}, ${dispute.currency}, ${formatInstant(dispute.raised_at)}::timestamptz,
      ${formatInstant(dispute.answer_by)}::timestamptz)`.execute(tx)
}

/** A step of a dispute. */
export interface DisputeStep {
  readonly dispute: string
  readonly kind: 'answer' | 'end' | 'deletion'
  readonly state: StepRow['state']
  readonly by: string
  readonly said?: string | undefined
  readonly creditMinor?: bigint | undefined
  readonly deletion?: boolean | undefined
  readonly at: Instant
}

export async function insertStep(tx: DatabaseTransaction, step: DisputeStep): Promise<void> {
  const { dispute, kind, state, by, said = null, creditMinor = null, deletion = false, at } = step
  await sql`
    insert into dispute_step (dispute, kind, state, by_party, said, credit_minor, deletion, made_at)
    values (${dispute}, ${kind}, ${state}, ${by}, ${said}, ${creditMinor}, ${deletion}, ${formatInstant(at)}::timestamptz)`.execute(
    tx,
  )
}

/** Disputes that meet a condition over `d`, newest first. */
export async function findDisputes(
  db: Database,
  condition: RawBuilder<unknown>,
  limit: number,
): Promise<readonly StoredDispute[]> {
  const step = (kind: string) => sql`(
    select json_build_object('state', s.state, 'by_party', s.by_party, 'said', s.said, 'credit_minor', s.credit_minor,
      'deletion', s.deletion, 'made_ms', (extract(epoch from s.made_at) * 1000)::bigint)
    from dispute_step s where s.dispute = d.id and s.kind = ${kind})`
  const { rows } = await sql<StoredDispute>`
    select d.*, a.data_set, ${step('answer')} as answer, ${step('end')} as "end", ${step('deletion')} as deletion
    from dispute d join ask a on a.id = d.ask where ${condition} order by d.number desc limit ${limit}`.execute(
    db,
  )
  return rows
}

export function stateOf({ answer, end }: Pick<StoredDispute, 'answer' | 'end'>): DisputeState {
  const state = end?.state ?? answer?.state ?? 'open'
  return state === 'deleted' ? 'upheld' : state
}

/** A dispute in its wire form. */
export function wireDispute(stored: StoredDispute): DisputeMessage {
  const { claim_minor, currency, answer, end, deletion } = stored
  const amountOf = (minor: bigint | number) => wireMoney(money(BigInt(minor), currency))
  const isDecided = end?.state === 'upheld' || end?.state === 'rejected'
  return {
    dispute: stored.id,
    ask: stored.ask,
    site: stored.site,
    dataSet: stored.data_set,
    acquirer: stored.acquirer,
    issuer: stored.issuer,
    custodian: stored.custodian,
    raisedBy: stored.raised_by,
    raisedAt: formatInstant(stored.raised_at),
    reason: stored.reason,
    statement: stored.statement,
    ...(claim_minor === null ? {} : { claim: amountOf(claim_minor) }),
    answerBy: formatInstant(stored.answer_by),
    state: stateOf(stored),
    ...(answer && { answer: { by: answer.by_party, at: momentOf(answer), text: answer.said ?? '' } }),
    ...(end && isDecided
      ? {
          outcome: {
            at: momentOf(end),
            ground: end.said ?? '',
            ...(end.credit_minor === null ? {} : { credit: amountOf(end.credit_minor) }),
            deletion: deletionOf(end, deletion),
            ...(deletion ? { deletedAt: momentOf(deletion) } : {}),
          },
        }
      : {}),
  }
}

function momentOf({ made_ms }: StepRow): string {
  return formatInstant(instant(made_ms))
}

function deletionOf(end: StepRow, deletion: StepRow | null): 'none' | 'due' | 'done' {
  if (deletion) return 'done'
  return end.deletion ? 'due' : 'none'
}
