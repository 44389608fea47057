import { inflateSync } from 'node:zlib'
import { sql } from 'kysely'
import { Bitset } from '../../kernel/bitset.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { JoinedAccounts } from './account-turns.ts'
import { PeopleLosses } from './people-losses.ts'
import type { LossLimit, PrivacyLoss } from './privacy-loss.ts'

/** An acquirer's losses by person in a period; `acquirer` is empty for all acquirers together. */
export interface LossesKey {
  readonly period: string
  readonly acquirer: string
}

export interface AccountKey extends LossesKey {
  readonly dataSet: string
}

/** What an acquirer has learnt of a data set in a period. */
export async function readAccount(
  db: Database,
  { period, acquirer, dataSet }: AccountKey,
): Promise<PrivacyLoss> {
  const { rows } = await sql<{ epsilon_micro: bigint; rho_nano: bigint }>`
    select epsilon_micro, rho_nano from privacy_account
    where period = ${period} and acquirer = ${acquirer} and data_set = ${dataSet}`.execute(db)
  return { epsilonMicro: Number(rows[0]?.epsilon_micro ?? 0n), rhoNano: Number(rows[0]?.rho_nano ?? 0n) }
}

/** Debits an account, unless that would go past its limit both ways; the row stays locked until the transaction ends. */
export async function spendFromAccount(
  tx: DatabaseTransaction,
  { period, acquirer, dataSet }: AccountKey,
  { loss, limit }: { loss: PrivacyLoss; limit: LossLimit },
): Promise<boolean> {
  const { rows } = await sql`
    insert into privacy_account as account (period, acquirer, data_set, epsilon_micro, rho_nano)
    values (${period}, ${acquirer}, ${dataSet}, ${loss.epsilonMicro}, ${loss.rhoNano})
    on conflict (period, acquirer, data_set) do update
    set epsilon_micro = account.epsilon_micro + excluded.epsilon_micro, rho_nano = account.rho_nano + excluded.rho_nano
    where account.epsilon_micro + excluded.epsilon_micro <= ${limit.epsilonMicro}
      or account.rho_nano + excluded.rho_nano <= ${limit.rhoNano}
    returning 1`.execute(tx)
  return rows.length === 1
}

/** What all of several acquirers have learnt and people have lost to them is the first one's from here on. */
export async function joinAccounts(tx: DatabaseTransaction, { into, from }: JoinedAccounts): Promise<void> {
  await sql`
    insert into privacy_account as account (period, acquirer, data_set, epsilon_micro, rho_nano)
    select period, ${into}, data_set, sum(epsilon_micro), sum(rho_nano) from privacy_account
    where acquirer = any(${[...from]}::text[]) group by period, data_set
    on conflict (period, acquirer, data_set) do update
    set epsilon_micro = account.epsilon_micro + excluded.epsilon_micro, rho_nano = account.rho_nano + excluded.rho_nano`.execute(
    tx,
  )
  // Of the first one alone; what people have lost to all of them is read from the spends.
  await sql`delete from privacy_snapshot where acquirer = ${into}`.execute(tx)
}

/** One answer's loss, with everybody it was made from (compressed). */
export interface Spend extends LossesKey {
  readonly ask: string
  readonly dataSets: readonly string[]
  readonly loss: PrivacyLoss
  readonly people: Uint8Array
}

export async function appendSpend(tx: DatabaseTransaction, spend: Spend): Promise<void> {
  const { period, ask, acquirer, dataSets, loss, people } = spend
  await sql`
    insert into privacy_spend (period, ask_id, acquirer, data_sets, epsilon_micro, rho_nano, people)
    values (${period}, ${ask}, ${acquirer}, ${[...dataSets]}::text[], ${loss.epsilonMicro}, ${loss.rhoNano}, ${Buffer.from(people)})`.execute(
    tx,
  )
}

/** Whether an ask has been paid for. */
export async function isSpent(db: Database, ask: string): Promise<boolean> {
  const { rows } = await sql`select 1 from privacy_spend where ask_id = ${ask}`.execute(db)
  return rows.length > 0
}

/** Answers read beyond the last snapshot before a new one is worth its bytes. */
const SNAPSHOT_AFTER = 32
const SPENDS_AT_ONCE = 64

/** What each person has lost by the record: from the last snapshot and the answers after it. */
export async function loadLosses(db: Database, key: LossesKey): Promise<PeopleLosses> {
  const { period, acquirer } = key
  const { rows } = await sql<{ until_id: bigint; losses: Uint8Array }>`
    select until_id, losses from privacy_snapshot where period = ${period} and acquirer = ${acquirer}`.execute(
    db,
  )
  const [snapshot] = rows
  const losses = snapshot ? PeopleLosses.fromBytes(snapshot.losses) : new PeopleLosses()
  let until = snapshot?.until_id ?? 0n
  let read = 0
  for (;;) {
    const spends = await readSpends(db, key, until)
    for (const { id, epsilon_micro: epsilon, rho_nano: rho, people } of spends) {
      losses.add(Bitset.fromBytes(inflateSync(people)), {
        epsilonMicro: Number(epsilon),
        rhoNano: Number(rho),
      })
      until = id
    }
    read += spends.length
    if (spends.length < SPENDS_AT_ONCE) break
  }
  if (read > SNAPSHOT_AFTER) await writeSnapshot(db, key, { until, losses })
  return losses
}

interface SpendRow {
  readonly id: bigint
  readonly epsilon_micro: bigint
  readonly rho_nano: bigint
  readonly people: Uint8Array
}

async function readSpends(
  db: Database,
  { period, acquirer }: LossesKey,
  after: bigint,
): Promise<readonly SpendRow[]> {
  const { rows } = await sql<SpendRow>`
    select id, epsilon_micro, rho_nano, people from privacy_spend
    where period = ${period} and id > ${after} and (${acquirer} = '' or acquirer = ${acquirer} or acquirer in (
      select member from colluding_member where group_name = ${acquirer}))
    order by id limit ${SPENDS_AT_ONCE}`.execute(db)
  return rows
}

async function writeSnapshot(
  db: Database,
  { period, acquirer }: LossesKey,
  { until, losses }: { until: bigint; losses: PeopleLosses },
): Promise<void> {
  await sql`
    insert into privacy_snapshot (period, acquirer, until_id, losses)
    values (${period}, ${acquirer}, ${until}, ${Buffer.from(losses.toBytes())})
    on conflict (period, acquirer) do update set until_id = excluded.until_id, losses = excluded.losses`.execute(
    db,
  )
}
