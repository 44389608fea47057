import { sql } from 'kysely'
import { Bitset } from '../../kernel/bitset.ts'
import { later } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { digestOf } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { stepOf } from '../../protocol/money/tariff.ts'
import type { DataSetId, MemberId } from '../../protocol/wire.ts'
import { erasureInReceipts } from '../../protocol/rights/erasure.ts'
import { peopleGivenRows } from '../asks/rows-given.ts'
import { changeGrants } from '../consent/change-grants.ts'
import { insertRevocations, liveGrantsOf } from '../consent/grant-store.ts'
import type { LiveGrant } from '../consent/grant-store.ts'
import { findDataSet } from '../datasets/data-set-store.ts'
import { importTurn } from '../datasets/import-batch.ts'
import { forgetGuardians } from '../principals/guardianship-store.ts'
import { eraseUnlessKept, finishErasure } from '../rights/erase-person.ts'
import { storesWhenDeleted } from '../rights/erased-stores.ts'
import type { ErasureParts, WhoIsKept } from '../rights/erasure-request.ts'
import { addReceipt, erasuresIn, insertErasureOfMany, saveDeletedMany } from '../rights/erasure-store.ts'
import type { ErasureRecord } from '../rights/erasure-store.ts'
import { claimKeys } from '../vault/hold-keys.ts'
import type { PersonWithoutRows } from '../vault/vault.ts'
import { takingDataSets, whoStaysKnown } from './who-stays-known.ts'
import type { StayFacts } from './who-stays-known.ts'

/** At whose word such an erasure is made. */
const SITE = 'site'

/** People who are erased one by one at the same time. */
const ALONE_AT_ONCE = 64

/**
 * Erases whoever has no row left, because the retention of all of theirs has ended, and of whom nothing is to be kept: what they are
 * found by, their key and what they granted go (GDPR Art. 5(1)(e), 17(1)(a)). Many at once, with one certificate; whoever
 * has recipients that are to be told is erased like anybody who asks for it. Each page is erased in the turn of imports, and whoever waits
 * for that is let in between two. Gives how many.
 */
export async function eraseWithoutRows(parts: ErasureParts): Promise<number> {
  const turn = importTurn(parts.vault)
  await turn.run(() => finishBegun(parts))
  let count = 0
  for (let after = -1; ;) {
    const done = await turn.run(async () => {
      const page = await parts.vault.listWithoutRows({ after, limit: LIMITS.erasedAtOnce })
      return { erased: await erasePage(parts, page), last: page.at(-1)?.person }
    })
    if (done.last === undefined) return count
    after = done.last
    count += done.erased
  }
}

/** What failed half-way before; what the site did not get to do by itself nobody else asks for again. */
async function finishBegun(parts: ErasureParts): Promise<void> {
  for (const begun of await erasuresIn(parts.db, 'begun'))
    if (begun.many) await finishErasureOfMany(parts, begun)
    else if (begun.reason === 'retention') await finishErasure(parts, begun)
}

async function erasePage(parts: ErasureParts, page: readonly PersonWithoutRows[]): Promise<number> {
  const facts = {
    taking: takingDataSets(parts.manifests().values(), parts.clock.now()),
    now: parts.clock.now(),
  }
  const staying = await whoStaysKnown(parts.db, { people: page, ...facts })
  const going = page.filter(({ person }) => !staying.has(person))
  const told = await peopleGivenRows(
    parts.db,
    going.map(({ person }) => person),
  )
  let count = 0
  for (const [dataSet, all] of Map.groupBy(going, (one) => one.dataSet)) {
    const issuer = await issuerOf(parts, dataSet)
    const alone = all.filter(({ person }) => told.has(person))
    for (let start = 0; start < alone.length; start += ALONE_AT_ONCE)
      count += await eraseEachAlone(parts, alone.slice(start, start + ALONE_AT_ONCE), issuer)
    const others = all.filter(({ person }) => !told.has(person))
    if (others.length > 0) count += await eraseMany(parts, others, issuer)
  }
  return count
}

async function issuerOf({ db }: ErasureParts, dataSet: DataSetId): Promise<MemberId> {
  const record = await findDataSet(db, dataSet)
  if (record) return record.manifest.issuer
  throw new Fault('fault.internal', { what: `Cannot find the data set "${dataSet}", which had rows` })
}

/**
 * Gives how many it was done of: something of theirs may have come since the page was read. Answers that are remembered under the name
 * itself go with time: the name is not known any more.
 */
async function eraseEachAlone(
  parts: ErasureParts,
  people: readonly PersonWithoutRows[],
  issuer: MemberId,
): Promise<number> {
  const lookups = new Map(people.map(({ person, lookup }) => [person, lookup]))
  const whoIsKept: WhoIsKept = (tx, { people: asked, now }) => {
    const found = asked.flatMap((person) => {
      const lookup = lookups.get(person)
      return lookup ? [{ person, lookup }] : []
    })
    return whoStays(tx, parts, { people: found, now })
  }
  const erasing = people.map(({ person, lookup }) =>
    eraseUnlessKept(parts, {
      person,
      issuer,
      reason: 'retention',
      requestedBy: SITE,
      nameMark: digestOf(lookup),
      guardianMark: lookup,
      whoIsKept,
    }),
  )
  // Nobody is left under way when the turn ends, though one failed.
  await Promise.allSettled(erasing)
  return (await Promise.all(erasing)).filter((erased) => erased !== undefined).length
}

/**
 * Once more where nobody can change it: a grant, a request or a restriction that came meanwhile counts. Grants, objections and
 * guardians wait for the turn of grant changes, requests and restrictions for the keys, which are claimed.
 */
function whoStays(
  tx: DatabaseTransaction,
  { manifests }: Pick<ErasureParts, 'manifests'>,
  { people, now }: Omit<StayFacts, 'taking'>,
): Promise<ReadonlySet<number>> {
  return whoStaysKnown(tx, { people, taking: takingDataSets(manifests().values(), now), now })
}

/** Notes it in the record, with keys destroyed and grants ended, then forgets them in the vault. */
async function eraseMany(
  parts: ErasureParts,
  people: readonly PersonWithoutRows[],
  issuer: MemberId,
): Promise<number> {
  const erasure = parts.ids.next('erasure')
  let going: readonly PersonWithoutRows[] = []
  await changeGrants(parts.consent, {
    body: { eraseWithoutRows: erasure },
    facts: { by: SITE },
    act: async (tx, { last, now }) => {
      await claimKeys(
        tx,
        people.map(({ person }) => person),
      )
      const staying = await whoStays(tx, parts, { people, now })
      going = people.filter(({ person }) => !staying.has(person))
      const noted = await note(tx, parts, { erasure, issuer, going, last, now })
      return {
        change: { sequence: last + noted.revoked.length, newTerms: [], given: [], ...noted },
        unchanged: 0,
      }
    },
  })
  if (going.length > 0) {
    const numbers = Bitset.of(going.map(({ person }) => person))
    await finishErasureOfMany(parts, { erasure, many: { count: going.length, people: numbers } })
  }
  return going.length
}

interface ManyToNote {
  readonly erasure: string
  readonly issuer: MemberId
  readonly going: readonly PersonWithoutRows[]
  readonly last: number
  readonly now: Instant
}

/** One receipt stands for all that ends: nobody is left who could look for their own. */
async function note(
  tx: DatabaseTransaction,
  { log, erasureWindowMs }: ErasureParts,
  { erasure, issuer, going, last, now }: ManyToNote,
): Promise<{
  readonly revoked: readonly LiveGrant[]
  readonly principals: readonly { readonly what: 'forgotten'; readonly person: number }[]
}> {
  if (going.length === 0) return { revoked: [], principals: [] }
  const people = going.map(({ person }) => person)
  const live = await liveGrantsOf(tx, { people })
  const { rows: known } = await sql<{ person: number }>`
    select forget_traces_of(${people}::integer[]) as person`.execute(tx)
  await forgetGuardians(
    tx,
    going.map(({ lookup }) => lookup),
  )
  await sql`delete from person_key where person = any(${people}::integer[])`.execute(tx)
  const draft = {
    kind: 'retention',
    erasure: erasureInReceipts(erasure),
    grade: 'inaccessible',
    peopleStep: stepOf(going.length),
  } as const
  const [receipt] = await log.issue(tx, [draft])
  if (!receipt) throw new Fault('fault.internal', { what: 'The log gave too few receipts' })
  const ends = live.map(({ sequence: grant }, index) => ({
    sequence: last + 1 + index,
    grant,
    receipt: receipt.sequence,
  }))
  await insertRevocations(tx, ends, { now, by: SITE, cause: 'withdrawn' })
  await insertErasureOfMany(tx, {
    erasure,
    issuer,
    reason: 'retention',
    requestedBy: SITE,
    requestedAt: now,
    permanentBy: later(now, erasureWindowMs),
    people: Bitset.of(people),
    receipt: receipt.sequence,
  })
  return {
    revoked: live.map((grant, index) => ({ ...grant, sequence: last + 1 + index })),
    principals: known.map(({ person }) => ({ what: 'forgotten', person })),
  }
}

/** Forgets them in the vault and writes it down; after a crash at any point, again. */
export async function finishErasureOfMany(
  { db, vault, log, clock }: Pick<ErasureParts, 'db' | 'vault' | 'log' | 'clock'>,
  { erasure, many }: Pick<ErasureRecord, 'erasure' | 'many'>,
): Promise<void> {
  if (!many) return
  await vault.forgetAll([...many.people])
  await db.transaction().execute(async (tx) => {
    const facts = { erasure, now: clock.now(), stores: storesWhenDeleted() }
    if (!(await saveDeletedMany(tx, facts))) return
    const peopleStep = stepOf(many.count)
    const [receipt] = await log.issue(tx, [
      { kind: 'retention', erasure: erasureInReceipts(erasure), grade: 'deleted', peopleStep },
    ])
    if (receipt) await addReceipt(tx, { erasure, receipt: receipt.sequence })
  })
}
