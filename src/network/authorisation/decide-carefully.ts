import { CompiledQuery, sql } from 'kysely'
import { formatDate, formatInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { ReceiptDraft } from '../../protocol/proof/receipt.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import { checkAsk } from './checks.ts'
import type { AskFacts, Standing } from './checks.ts'
import { passedAsk } from './decided-ask.ts'
import type { DeclinedAsk, PassedAsk } from './decided-ask.ts'
import { askDigestOf } from './sent-ask.ts'
import type { KeptBatch, SentAsk } from './sent-ask.ts'
import { takeStatement } from './take-asks.ts'

/** What became of an ask that could not simply be taken. */
export type CarefulOutcome =
  | { readonly kind: 'taken'; readonly ask: PassedAsk }
  | { readonly kind: 'known'; readonly sent: SentAsk }
  | { readonly kind: 'declined'; readonly ask: DeclinedAsk; readonly receipt: number }

/** An ask with the facts that need no database. */
export type AskUnderCheck = Omit<AskFacts, 'standing' | 'isSigned' | 'now'>

/**
 * Decides asks one after another with everything in view: what was seen before, balances, limits. All of a request
 * are one transaction, in which every decline gets its receipt. Declines that say nothing about the acquirer's own
 * ask (an unknown member, a bad signature, a replay) leave its id and idempotency key free.
 */
export async function decideCarefully(
  tx: DatabaseTransaction,
  facts: {
    asks: readonly AskUnderCheck[]
    batch: KeptBatch | undefined
    at: Instant
    log: Pick<ReceiptLog, 'issue'>
  },
): Promise<readonly CarefulOutcome[]> {
  const { asks, batch, at, log } = facts
  const purses = await lockPurses(tx, asks, at)
  const seen = await readSeen(tx, asks)
  const decided = asks.map((ask) => decideOne(ask, { purses, seen, at }))
  const passed = decided.flatMap((outcome) => (outcome.kind === 'taken' ? [outcome.ask] : []))
  if (passed.length > 0) {
    const { text, values } = takeStatement({ asks: passed, batch }, at)
    const { rows } = await tx.executeQuery<{ taken: boolean }>(CompiledQuery.raw(text, [...values]))
    if (rows[0]?.taken !== true)
      throw new Fault('fault.internal', { what: 'Cannot take asks that passed every check' })
  }
  const declines = decided.flatMap((outcome) => (outcome.kind === 'declined' ? [outcome.ask] : []))
  const receipts = await log.issue(tx, declines.map(draftOf))
  await keepDeclined(tx, { declines, receipts: receipts.map(({ sequence }) => sequence), batch, at })
  const sequenceOf = new Map(declines.map((ask, index) => [ask, receipts[index]?.sequence ?? 0]))
  return decided.map((outcome) =>
    outcome.kind === 'declined' ? { ...outcome, receipt: sequenceOf.get(outcome.ask) ?? 0 } : outcome,
  )
}

type Decided =
  | Exclude<CarefulOutcome, { kind: 'declined' }>
  | { readonly kind: 'declined'; readonly ask: DeclinedAsk }

interface Purse {
  availableMinor: bigint
  leftTodayMinor: bigint | undefined
}

/** What was used before: ask ids, and acquirers with idempotency keys; each with id and body of its ask. */
type Seen = Map<string, { readonly id: string; readonly bodyDigest: string }>

function decideOne(
  ask: AskUnderCheck,
  { purses, seen, at }: { purses: ReadonlyMap<string, Purse>; seen: Seen; at: Instant },
): Decided {
  const { sent, route } = ask
  const names = [`id ${sent.ask.id}`, `key ${sent.ask.acquirer} ${sent.ask.idempotencyKey}`]
  const earlier = names.flatMap((name) => seen.get(name) ?? [])
  const isSame = (was: { id: string; bodyDigest: string }) =>
    was.id === sent.ask.id && was.bodyDigest === sent.bodyDigest
  const purse = purses.get(purseName(sent))
  const standing: Standing = {
    isReplayed: !earlier.every(isSame),
    availableMinor: purse?.availableMinor ?? 0n,
    leftTodayMinor: purse?.leftTodayMinor,
  }
  const decline = checkAsk({ ...ask, isSigned: sent.isSigned(), standing, now: at })
  const isOurs = decline === undefined || !LEAVES_FREE.has(decline.code)
  if (isOurs && earlier.length > 0) return { kind: 'known', sent }
  if (isOurs) for (const name of names) seen.set(name, { id: sent.ask.id, bodyDigest: sent.bodyDigest })
  if (decline) return { kind: 'declined', ask: { sent, decline } }
  const passed = passedAsk(sent, route)
  if (purse) {
    purse.availableMinor -= passed.holdMinor
    if (purse.leftTodayMinor !== undefined) purse.leftTodayMinor -= passed.holdMinor
  }
  return { kind: 'taken', ask: passed }
}

const LEAVES_FREE: ReadonlySet<string> = new Set([
  'declined.member_unknown',
  'declined.signature',
  'declined.replayed',
])

function purseName({ ask }: SentAsk): string {
  return `${ask.acquirer} ${ask.maxPrice.currency}`
}

async function lockPurses(
  tx: Database,
  asks: readonly AskUnderCheck[],
  at: Instant,
): Promise<ReadonlyMap<string, Purse>> {
  const owners = [...new Set(asks.map(({ sent }) => sent.ask.acquirer))]
  const { rows } = await sql<{
    owner: string
    currency: string
    available: bigint
    left_today: bigint | null
  }>`
    select owner, currency, credits_minor - debits_minor - held_minor as available,
      daily_limit_minor - case when day = ${formatDate(at)}::date then day_held_minor else 0 end as left_today
    from account where kind = 'funds' and owner = any(${owners}) order by id for update`.execute(tx)
  return new Map(
    rows.map(({ owner, currency, available, left_today }) => [
      `${owner} ${currency}`,
      { availableMinor: available, leftTodayMinor: left_today ?? undefined },
    ]),
  )
}

async function readSeen(tx: Database, asks: readonly AskUnderCheck[]): Promise<Seen> {
  const wanted = asks.map(({ sent: { ask } }) => ({
    id: ask.id,
    acquirer: ask.acquirer,
    key: ask.idempotencyKey,
  }))
  const { rows } = await sql<{ id: string; acquirer: string; idempotency_key: string; body: string }>`
    select a.id, a.acquirer, a.idempotency_key, encode(a.body_digest, 'hex') as body
    from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) as w(id text, acquirer text, key text)
      join ask a on a.id = w.id or (a.acquirer = w.acquirer and a.idempotency_key = w.key)`.execute(tx)
  const seen: Seen = new Map()
  for (const { id, acquirer, idempotency_key, body } of rows) {
    seen.set(`id ${id}`, { id, bodyDigest: body })
    seen.set(`key ${acquirer} ${idempotency_key}`, { id, bodyDigest: body })
  }
  return seen
}

function draftOf({ sent, decline }: DeclinedAsk): ReceiptDraft {
  const { ask } = sent
  return {
    kind: 'decline',
    ask: askDigestOf(sent),
    askId: ask.id,
    acquirer: ask.acquirer,
    purpose: ask.purpose,
    mode: ask.mode,
    dataSet: ask.offer,
    reason: decline.code,
  }
}

async function keepDeclined(
  tx: Database,
  facts: {
    declines: readonly DeclinedAsk[]
    receipts: readonly number[]
    batch: KeptBatch | undefined
    at: Instant
  },
): Promise<void> {
  const { batch } = facts
  const rows = facts.declines.flatMap((ask, index) =>
    LEAVES_FREE.has(ask.decline.code) ? [] : [declinedRow(ask, { batch, receipt: facts.receipts[index] })],
  )
  if (rows.length === 0) return
  await sql`
    insert into ask (id, acquirer, idempotency_key, body_digest, sender, status, reason, detail, receipt, data_set, purpose, mode,
      currency, hold_minor, is_dry_run, received_at, expires_at, jws, batch, batch_index)
    select x.id, x.acquirer, x.key, decode(x.body, 'hex'), x.sender, 'declined', x.reason, x.detail, x.receipt, x.data_set, x.purpose,
      x.mode, x.currency, 0, x.dry, ${formatInstant(facts.at)}::timestamptz, x.expiry, x.jws, x.batch, x.index
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as x(id text, acquirer text, key text, body text, sender text,
      reason text, detail text, receipt bigint, data_set text, purpose text, mode text, currency text, dry boolean, expiry timestamptz,
      jws text, batch text, index integer)`.execute(tx)
  if (batch) {
    await sql`
      insert into ask_batch (id, digest, processor, jws, received_at)
      values (${batch.id}, ${batch.digest}, ${batch.processor}, ${batch.jws}, ${formatInstant(facts.at)}::timestamptz)
      on conflict do nothing`.execute(tx)
  }
}

function declinedRow(
  { sent, decline }: DeclinedAsk,
  { batch, receipt }: { batch: KeptBatch | undefined; receipt: number | undefined },
): object {
  const { ask, bodyDigest, sender, jws } = sent
  return {
    id: ask.id,
    acquirer: ask.acquirer,
    key: ask.idempotencyKey,
    body: bodyDigest,
    sender,
    reason: decline.code,
    detail: decline.detail,
    receipt,
    data_set: ask.offer,
    purpose: ask.purpose,
    mode: ask.mode,
    currency: ask.maxPrice.currency,
    dry: ask.dryRun,
    expiry: formatInstant(ask.expires),
    jws,
    batch: batch?.id,
    index: sent.batch?.index,
  }
}
