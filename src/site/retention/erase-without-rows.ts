import { sql } from 'kysely'
import { Bitset } from '../../kernel/bitset.ts'
import { later, monotonicMs } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { digestOf } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { Mutex } from '../../kernel/mutex.ts'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import { TurnSize } from '../../kernel/turn-size.ts'
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
import {
  addReceipt,
  erasuresIn,
  findErasure,
  noteErasureOfMany,
  saveDeletedMany,
} from '../rights/erasure-store.ts'
import type { ErasureRecord } from '../rights/erasure-store.ts'
import { claimKeys } from '../vault/keys/hold-keys.ts'
import type { PersonWithoutRows } from '../vault/vault.ts'
import { takingDataSets, whoStaysKnown } from './who-stays-known.ts'
import type { StayFacts } from './who-stays-known.ts'

/** At whose word such an erasure is made. */
const SITE = 'site'

/** People who are erased one by one at the same time: each takes milliseconds for which changes of grants wait, since others are told. */
const ALONE_AT_ONCE = 4

/**
 * People who are noted in a turn at least: they take about as long as what a turn costs whoever is in it. With fewer a busy machine, on
 * which that alone takes longer than a turn may, would come to one person a turn and never to an end.
 */
const NOTED_AT_ONCE_MIN = 64

/** People of whom it is looked at the same time who stays: what others have to do goes on in between. */
const LOOKED_AT_ONCE = 1_000

/**
 * Erases whoever has no row left, because the retention of all of theirs has ended, and of whom nothing is to be kept: what they are
 * found by, their key and what they granted go (GDPR Art. 5(1)(e), 17(1)(a)). Many at once, with one certificate; whoever
 * has recipients that are to be told is erased like anybody who asks for it. Some at a time are erased in the turn of imports, and whoever
 * waits for that is let in before the next; whoever grants or withdraws is let in between the turns of these. Gives how many.
 */
export async function eraseWithoutRows(parts: ErasureParts): Promise<number> {
  // What one has begun another would end under it.
  const sweeps = sweepTurns.get(parts.vault) ?? new Mutex()
  sweepTurns.set(parts.vault, sweeps)
  return sweeps.run(() => eraseInSlices(parts))
}

const sweepTurns = new WeakMap<object, Mutex>()

async function eraseInSlices(parts: ErasureParts): Promise<number> {
  const turn = importTurn(parts.vault)
  await turn.run(() => finishBegun(parts))
  const sizes: SliceSizes = {
    slice: new TurnSize({
      goalMs: LIMITS.importTurnMs,
      first: 512,
      countMin: NOTED_AT_ONCE_MIN,
      countMax: LIMITS.erasedAtOnce,
    }),
    grants: new TurnSize({
      goalMs: LIMITS.grantTurnMs,
      first: 128,
      countMin: NOTED_AT_ONCE_MIN,
      countMax: 1_000,
    }),
  }
  const certificates: Certificates = new Map()
  let count = 0
  for (let after = -1; ;) {
    const done = await turn.run(() => eraseSlice(parts, { certificates, after, sizes }))
    count += done.count
    const isLast = done.last === undefined
    count += await endCertificates(parts, certificates, isLast ? 1 : LIMITS.erasedAtOnce)
    if (done.last === undefined) return count
    after = done.last
  }
}

/** What failed half-way before; what the site did not get to do by itself nobody else asks for again. */
async function finishBegun(parts: ErasureParts): Promise<void> {
  for (const begun of await erasuresIn(parts.db, 'begun'))
    if (begun.many) await finishErasureOfMany(parts, begun)
    else if (begun.reason === 'retention') await finishErasure(parts, begun)
}

/** Those of whom many are erased under one certificate of a data set. */
interface ManyBegun {
  readonly erasure: string
  readonly issuer: MemberId
  readonly people: Bitset
}

type Certificates = Map<DataSetId, ManyBegun>

interface SliceSizes {
  readonly slice: TurnSize
  readonly grants: TurnSize
}

interface Slice {
  readonly certificates: Certificates
  readonly after: number
  readonly sizes: SliceSizes
}

/** Some people, to the end: whoever comes in next finds them known, or gone from record and vault. */
async function eraseSlice(
  parts: ErasureParts,
  { certificates, after, sizes }: Slice,
): Promise<{ readonly count: number; readonly last: number | undefined }> {
  const begunMs = monotonicMs()
  const page = await parts.vault.listWithoutRows({ after, limit: sizes.slice.count })
  let count = 0
  try {
    const gone: number[] = []
    for (let start = 0; start < page.length; start += LOOKED_AT_ONCE) {
      const going = await whoGoes(parts, page.slice(start, start + LOOKED_AT_ONCE))
      for (const [dataSet, { alone, others }] of going) {
        const issuer = await issuerOf(parts, dataSet)
        for (let first = 0; first < alone.length; first += ALONE_AT_ONCE)
          count += await eraseEachAlone(parts, alone.slice(first, first + ALONE_AT_ONCE), issuer)
        const erasure = parts.ids.next('erasure')
        const many = certificates.get(dataSet) ?? { erasure, issuer, people: new Bitset() }
        certificates.set(dataSet, many)
        gone.push(...(await noteMany(parts, { many, people: others, turnSize: sizes.grants })))
      }
    }
    if (gone.length > 0) await parts.vault.forgetAll(gone)
  } catch (error) {
    // Whoever is noted is forgotten, whatever became of the others: rows that came meanwhile would go with them. The record says
    // who: a turn that failed may have noted some. What went wrong first is told; the record knows what is still to be finished.
    await finishCertificates(parts, certificates).catch(() => undefined)
    throw error
  }
  sizes.slice.took(page.length, monotonicMs() - begunMs)
  return { count, last: page.at(-1)?.person }
}

async function finishCertificates(parts: ErasureParts, certificates: Certificates): Promise<void> {
  for (const { erasure } of certificates.values()) {
    const noted = await findErasure(parts.db, erasure)
    if (noted) await finishErasureOfMany(parts, noted)
  }
}

/** Ends certificates that are of so many people, all of whom are forgotten; gives of how many they are. */
async function endCertificates(
  parts: ErasureParts,
  certificates: Certificates,
  countMin: number,
): Promise<number> {
  let count = 0
  for (const [dataSet, { erasure, people }] of certificates) {
    if (people.count() < countMin) continue
    certificates.delete(dataSet)
    await saveForgotten(parts, { erasure, count: people.count() })
    count += people.count()
  }
  return count
}

/** Of some people those whom nothing keeps, by the data set that their last row was in. */
async function whoGoes(parts: ErasureParts, people: readonly PersonWithoutRows[]) {
  const now = parts.clock.now()
  const taking = takingDataSets(parts.manifests().values(), now)
  const staying = await whoStaysKnown(parts.db, { people, taking, now })
  const going = people.filter(({ person }) => !staying.has(person))
  const told = await peopleGivenRows(
    parts.db,
    going.map(({ person }) => person),
  )
  return [...Map.groupBy(going, (one) => one.dataSet)].map(
    ([dataSet, all]) =>
      [
        dataSet,
        {
          alone: all.filter(({ person }) => told.has(person)),
          others: all.filter(({ person }) => !told.has(person)),
        },
      ] as const,
  )
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

/** Notes it in the record, with keys destroyed and grants ended, in turns for which nobody who grants or withdraws waits long; gives of whom. */
async function noteMany(
  parts: ErasureParts,
  { many, people, turnSize }: { many: ManyBegun; people: readonly PersonWithoutRows[]; turnSize: TurnSize },
): Promise<readonly number[]> {
  const noted: number[] = []
  for (let start = 0; start < people.length;) {
    const some = people.slice(start, start + turnSize.count)
    start += some.length
    noted.push(...(await noteSome(parts, { many, people: some, turnSize })))
  }
  return noted
}

async function noteSome(
  parts: ErasureParts,
  { many, people, turnSize }: Parameters<typeof noteMany>[1],
): Promise<readonly number[]> {
  let going: readonly PersonWithoutRows[] = []
  let begunMs = monotonicMs()
  await changeGrants(parts.consent, {
    body: { eraseWithoutRows: many.erasure },
    facts: { by: SITE },
    act: async (tx, { last, now }) => {
      begunMs = monotonicMs()
      await claimKeys(
        tx,
        people.map(({ person }) => person),
      )
      const staying = await whoStays(tx, parts, { people, now })
      going = people.filter(({ person }) => !staying.has(person))
      const noted = await note(tx, parts, { many, going, last, now })
      return {
        change: { sequence: last + noted.revoked.length, newTerms: [], given: [], ...noted },
        unchanged: 0,
      }
    },
  })
  turnSize.took(people.length, monotonicMs() - begunMs)
  for (const { person } of going) many.people.add(person)
  return going.map(({ person }) => person)
}

interface ManyToNote {
  readonly many: ManyBegun
  readonly going: readonly PersonWithoutRows[]
  readonly last: number
  readonly now: Instant
}

/** One receipt stands for all that ends in a turn: nobody is left who could look for their own. */
async function note(
  tx: DatabaseTransaction,
  { log, erasureWindowMs }: ErasureParts,
  { many: { erasure, issuer, people: before }, going, last, now }: ManyToNote,
): Promise<{
  readonly revoked: readonly LiveGrant[]
  readonly principals: readonly { readonly what: 'forgotten'; readonly person: number }[]
}> {
  if (going.length === 0) return { revoked: [], principals: [] }
  const people = going.map(({ person }) => person)
  const live = await liveGrantsOf(tx, { people })
  const { rows: known } = await sql<{ person: number }>`
    ${KEPT} select forget_traces_of(${people}::integer[]) as person`.execute(tx)
  await forgetGuardians(
    tx,
    going.map(({ lookup }) => lookup),
  )
  await sql`${KEPT} delete from person_key where person = any(${people}::integer[])`.execute(tx)
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
  await noteErasureOfMany(tx, {
    erasure,
    issuer,
    reason: 'retention',
    requestedBy: SITE,
    requestedAt: now,
    permanentBy: later(now, erasureWindowMs),
    people: before.union(Bitset.of(people)),
    receipt: receipt.sequence,
  })
  return {
    revoked: live.map((grant, index) => ({ ...grant, sequence: last + 1 + index })),
    principals: known.map(({ person }) => ({ what: 'forgotten', person })),
  }
}

/** Forgets them in the vault and writes it down; after a crash at any point, again. */
export async function finishErasureOfMany(
  parts: Pick<ErasureParts, 'db' | 'vault' | 'log' | 'clock'>,
  { erasure, many }: Pick<ErasureRecord, 'erasure' | 'many'>,
): Promise<void> {
  if (!many) return
  await parts.vault.forgetAll([...many.people])
  await saveForgotten(parts, { erasure, count: many.count })
}

/** Writes down that all of a certificate are forgotten, once. */
async function saveForgotten(
  { db, log, clock }: Pick<ErasureParts, 'db' | 'log' | 'clock'>,
  { erasure, count }: { readonly erasure: string; readonly count: number },
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const facts = { erasure, now: clock.now(), stores: storesWhenDeleted() }
    if (!(await saveDeletedMany(tx, facts))) return
    const peopleStep = stepOf(count)
    const [receipt] = await log.issue(tx, [
      { kind: 'retention', erasure: erasureInReceipts(erasure), grade: 'deleted', peopleStep },
    ])
    if (receipt) await addReceipt(tx, { erasure, receipt: receipt.sequence })
  })
}
