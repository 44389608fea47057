import { sql } from 'kysely'
import { formatInstant, instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Currency } from '../../kernel/currency.ts'
import { money } from '../../kernel/money.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { RawBuilder } from 'kysely'
import { OPERATOR } from '../../protocol/http/network-api.ts'
import type {
  DisputeMessage,
  DisputeReason,
  DisputeSide,
  DisputeState,
} from '../../protocol/money/dispute.ts'
import { wireMoney } from '../../protocol/wire.ts'
import { insertText } from './dispute-texts.ts'
import type { SaltedText } from './dispute-texts.ts'

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
  readonly issuer_processor: string | null
  readonly custodian: string
  readonly raised_by: string
  readonly reason: DisputeReason
  /** This and what was said in steps: `null` once it was removed, or its time is over. */
  readonly statement: string | null
  readonly claim_minor: bigint | null
  readonly currency: Currency
  readonly raised_at: Instant
  readonly answer_by: Instant
  /** Of each of the other side that has answered, in that order. */
  readonly answers: readonly StepRow[]
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
  | 'issuer_processor'
  | 'custodian'
  | 'raised_by'
  | 'reason'
  | 'claim_minor'
  | 'currency'
  | 'raised_at'
  | 'answer_by'
>

export async function insertDispute(
  tx: DatabaseTransaction,
  dispute: NewDispute,
  statement: SaltedText,
): Promise<void> {
  const { id, ask, site, side, acquirer, issuer, issuer_processor, custodian, raised_by, reason } = dispute
  await sql`
    insert into dispute (id, ask, site, side, acquirer, issuer, issuer_processor, custodian, raised_by, reason, text_digest,
      claim_minor, currency, raised_at, answer_by)
    values (${id}, ${ask}, ${site}, ${side}, ${acquirer}, ${issuer}, ${issuer_processor}, ${custodian}, ${raised_by}, ${reason},
      ${statement.digest}, ${dispute.claim_minor}, ${dispute.currency}, ${formatInstant(dispute.raised_at)}::timestamptz,
      ${formatInstant(dispute.answer_by)}::timestamptz)`.execute(tx)
  await insertText(tx, { dispute: id, kind: 'statement', by: raised_by }, statement)
}

/** A step of a dispute. */
export interface DisputeStep {
  readonly dispute: string
  readonly kind: 'answer' | 'end' | 'deletion'
  readonly state: StepRow['state']
  readonly by: string
  readonly said?: SaltedText | undefined
  readonly creditMinor?: bigint | undefined
  readonly deletion?: boolean | undefined
  readonly at: Instant
}

export async function insertStep(tx: DatabaseTransaction, step: DisputeStep): Promise<void> {
  const { dispute, kind, state, by, said, creditMinor = null, deletion = false, at } = step
  await sql`
    insert into dispute_step (dispute, kind, state, by_party, text_digest, credit_minor, deletion, made_at)
    values (${dispute}, ${kind}, ${state}, ${by}, ${said?.digest ?? null}, ${creditMinor}, ${deletion},
      ${formatInstant(at)}::timestamptz)`.execute(tx)
  if (said && kind !== 'deletion') await insertText(tx, { dispute, kind, by }, said)
}

/** Disputes that meet a condition over `d`, newest first. */
export async function findDisputes(
  db: Database,
  condition: RawBuilder<unknown>,
  limit: number,
): Promise<readonly StoredDispute[]> {
  const steps = (kind: string) => sql`(
    select json_agg(json_build_object('state', s.state, 'by_party', s.by_party, 'said', t.body, 'credit_minor', s.credit_minor,
      'deletion', s.deletion, 'made_ms', (extract(epoch from s.made_at) * 1000)::bigint) order by s.made_at, s.by_party)
    from dispute_step s left join dispute_text t on t.dispute = s.dispute and t.kind = s.kind and t.by_party = s.by_party
    where s.dispute = d.id and s.kind = ${kind})`
  const { rows } = await sql<StoredDispute>`
    select d.*, a.data_set, t.body as statement, coalesce(${steps('answer')}, '[]'::json) as answers,
      ${steps('end')} -> 0 as "end", ${steps('deletion')} -> 0 as deletion
    from dispute d join ask a on a.id = d.ask left join dispute_text t on t.dispute = d.id and t.kind = 'statement'
    where ${condition} order by d.number desc limit ${limit}`.execute(db)
  return rows
}

/** Which side somebody is on; `undefined` for whoever has no part in the trade. */
export function sideOf(parties: DisputeParties, member: string): DisputeSide | undefined {
  if (member === parties.acquirer) return 'acquirer'
  return providersOf(parties).includes(member) ? 'provider' : undefined
}

/** Who has yet to answer: each of the other side is heard for itself, since each may have to give money back. */
export function silentOf(dispute: StoredDispute): readonly string[] {
  const others = dispute.side === 'acquirer' ? providersOf(dispute) : [dispute.acquirer]
  return others.filter((other) => dispute.answers.every(({ by_party }) => by_party !== other))
}

/** Whose data it was and who gave it away, but not the acquirer, which may be one of them. */
function providersOf({ acquirer, issuer, issuer_processor, custodian }: DisputeParties): readonly string[] {
  const all = new Set([issuer, ...(issuer_processor === null ? [] : [issuer_processor]), custodian])
  all.delete(acquirer)
  return [...all]
}

type DisputeParties = Pick<StoredDispute, 'acquirer' | 'issuer' | 'issuer_processor' | 'custodian'>

export function stateOf(dispute: StoredDispute): DisputeState {
  const { answers, end } = dispute
  if (end) return end.state === 'deleted' ? 'upheld' : end.state
  if (answers.length === 0 || silentOf(dispute).length > 0) return 'open'
  return answers.some(({ state }) => state === 'contested') ? 'contested' : 'accepted'
}

/** Who has something to do about it. */
function waitsFor(dispute: StoredDispute, now: Instant): readonly string[] {
  const { acquirer, answer_by, end, deletion } = dispute
  if (end) return end.deletion && !deletion ? [acquirer] : []
  const silent = now < answer_by ? silentOf(dispute) : []
  return silent.length > 0 ? silent : [OPERATOR]
}

/** A dispute in its wire form. */
export function wireDispute(stored: StoredDispute, now: Instant): DisputeMessage {
  const { claim_minor, currency, answers, end, deletion, issuer_processor } = stored
  const amountOf = (minor: bigint | number) => wireMoney(money(BigInt(minor), currency))
  const isDecided = end?.state === 'upheld' || end?.state === 'rejected'
  return {
    dispute: stored.id,
    ask: stored.ask,
    site: stored.site,
    dataSet: stored.data_set,
    acquirer: stored.acquirer,
    issuer: stored.issuer,
    ...(issuer_processor === null ? {} : { issuerProcessor: issuer_processor }),
    custodian: stored.custodian,
    raisedBy: stored.raised_by,
    raisedAt: formatInstant(stored.raised_at),
    reason: stored.reason,
    ...(stored.statement === null ? {} : { statement: stored.statement }),
    ...(claim_minor === null ? {} : { claim: amountOf(claim_minor) }),
    answerBy: formatInstant(stored.answer_by),
    state: stateOf(stored),
    waitsFor: [...waitsFor(stored, now)],
    answers: answers.map((one) => ({
      by: one.by_party,
      at: momentOf(one),
      answer: one.state === 'contested' ? 'contested' : 'accepted',
      ...(one.said === null ? {} : { text: one.said }),
    })),
    ...(end && isDecided
      ? {
          outcome: {
            at: momentOf(end),
            ...(end.said === null ? {} : { ground: end.said }),
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
