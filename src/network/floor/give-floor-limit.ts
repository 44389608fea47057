import { sql } from 'kysely'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import { formatInstant, later } from '../../kernel/clock.ts'
import type { Clock, Instant } from '../../kernel/clock.ts'
import { signJws } from '../../kernel/crypto/jws.ts'
import type { KeyPair } from '../../kernel/crypto/keys.ts'
import { Fault } from '../../kernel/faults.ts'
import type { FieldProblem } from '../../kernel/faults.ts'
import type { IdSource } from '../../kernel/id.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Money } from '../../kernel/money.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { TYP } from '../../protocol/proof/message-types.ts'
import { wireMoney } from '../../protocol/wire.ts'
import type { MemberId, SiteId } from '../../protocol/wire.ts'
import type { Directory } from '../membership/directory.ts'
import type { TermsOfUse } from '../membership/terms-of-use.ts'
import { requireSite } from '../membership/directory.ts'
import { findFloorLimits } from './floor-store.ts'
import type { FloorRow } from './floor-store.ts'

/** What giving floor limits works with. */
export interface FloorParts {
  readonly db: Database
  readonly clock: Clock
  readonly ids: IdSource
  readonly directory: Directory
  readonly termsOfUse: Pick<TermsOfUse, 'lacking'>
  readonly name: string
  readonly key: KeyPair
}

/** A floor limit as the operator asks for it. */
export interface NewFloorLimit {
  readonly site: SiteId
  readonly acquirer: MemberId
  readonly amount: Money
  readonly validUntil: Instant
  readonly clearUntil?: Instant | undefined
  /** The same key gives nothing again. */
  readonly idempotencyKey: string
}

/**
 * Gives a site a floor limit: its amount is held on the acquirer's account in the same step, so that whatever the site
 * books on it while it is cut off is covered.
 *
 * @throws Fault `fault.request_malformed` when its times are not possible, `fault.idempotency_conflict` when the key stands for
 * another limit, `fault.conflict` when the acquirer has too little that is not held
 */
export async function giveFloorLimit(parts: FloorParts, wanted: NewFloorLimit): Promise<FloorRow> {
  const { db, clock, directory } = parts
  requireSite(directory, wanted.site)
  const acquirer = directory.member(wanted.acquirer)
  if (acquirer?.roles.includes('acquirer') !== true || acquirer.status !== 'active') {
    throw new Fault('fault.conflict', {
      what: `Cannot give a floor limit for "${wanted.acquirer}": it is not an active member with the role "acquirer"`,
    })
  }
  const now = clock.now()
  // Whatever a site books on it is not decided here again.
  if (parts.termsOfUse.lacking(wanted.acquirer, now)) {
    throw new Fault('fault.conflict', {
      what: `Cannot give a floor limit for "${wanted.acquirer}": it has not accepted the terms of use that are in force`,
    })
  }
  const clearUntil = wanted.clearUntil ?? later(wanted.validUntil, LIMITS.floorLimitClearMs)
  return db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtext(${wanted.idempotencyKey}))`.execute(tx)
    const [earlier] = await findFloorLimits(tx, sql`f.idempotency_key = ${wanted.idempotencyKey}`)
    if (earlier) return requireSame(earlier, { ...wanted, clearUntil })
    requireTimes({ ...wanted, clearUntil, now })
    await holdAmount(tx, wanted)
    return keepLimit(tx, { parts, wanted: { ...wanted, clearUntil }, now })
  })
}

function requireTimes({
  validUntil,
  clearUntil,
  amount,
  now,
}: NewFloorLimit & { clearUntil: Instant; now: Instant }): void {
  const errors: FieldProblem[] = []
  if (amount.amountMinor <= 0n) errors.push({ field: 'amount', expected: 'expected more than nothing' })
  if (
    validUntil <= later(now, LIMITS.floorLimitTailMs) ||
    validUntil > later(now, LIMITS.floorLimitLifetimeMsMax)
  )
    errors.push({
      field: 'validUntil',
      expected: 'expected a time that is more than 3 minutes and at most 31 days ahead',
    })
  if (clearUntil <= validUntil || clearUntil > later(validUntil, LIMITS.floorLimitClearMsMax))
    errors.push({ field: 'clearUntil', expected: 'expected a time after "validUntil", at most 90 days' })
  if (errors.length > 0)
    throw new Fault('fault.request_malformed', { what: 'Cannot give this floor limit', errors })
}

function requireSame(earlier: FloorRow, wanted: NewFloorLimit & { clearUntil: Instant }): FloorRow {
  const isSame =
    earlier.site === wanted.site &&
    earlier.acquirer === wanted.acquirer &&
    earlier.amount_minor === wanted.amount.amountMinor &&
    earlier.currency === wanted.amount.currency &&
    earlier.valid_until === wanted.validUntil &&
    earlier.clear_until === wanted.clearUntil
  if (isSame) return earlier
  throw new Fault('fault.idempotency_conflict', {
    what: 'Cannot use the Idempotency-Key again: it came with another floor limit',
  })
}

/** Held as the highest price of an ask is; a limit of the day does not count it, for the operator gives it. */
async function holdAmount(tx: Database, { acquirer, amount }: NewFloorLimit): Promise<void> {
  const { rows } = await sql<object>`
    update account set held_minor = held_minor + ${amount.amountMinor}
    where owner = ${acquirer} and kind = 'funds' and currency = ${amount.currency}
      and credits_minor - debits_minor - held_minor >= ${amount.amountMinor} returning 1 as held`.execute(tx)
  if (rows.length > 0) return
  throw new Fault('fault.conflict', {
    what: `Cannot give the floor limit: "${acquirer}" has less than that which is not held`,
  })
}

async function keepLimit(
  tx: Database,
  {
    parts,
    wanted,
    now,
  }: { parts: FloorParts; wanted: NewFloorLimit & { clearUntil: Instant }; now: Instant },
): Promise<FloorRow> {
  const { site, acquirer, amount, validUntil, clearUntil, idempotencyKey } = wanted
  const limit = {
    id: parts.ids.next('flr'),
    network: parts.name,
    site,
    acquirer,
    amount: wireMoney(amount),
    validFrom: formatInstant(now),
    validUntil: formatInstant(validUntil),
    clearUntil: formatInstant(clearUntil),
  }
  const statement = signJws(canonicalJson(limit), { typ: TYP.floorLimit, key: parts.key })
  await sql`
    insert into floor_limit (id, site, acquirer, currency, amount_minor, valid_from, valid_until, clear_until, statement, idempotency_key)
    values (${limit.id}, ${site}, ${acquirer}, ${amount.currency}, ${amount.amountMinor}, ${limit.validFrom}::timestamptz,
      ${limit.validUntil}::timestamptz, ${limit.clearUntil}::timestamptz, ${statement}, ${idempotencyKey})`.execute(
    tx,
  )
  const [kept] = await findFloorLimits(tx, sql`f.id = ${limit.id}`)
  if (!kept) throw new Fault('fault.internal', { what: 'Cannot find the floor limit that was just given' })
  return kept
}
