import { sql } from 'kysely'
import type { Instant } from '../../kernel/clock.ts'
import type { Digest } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import type { ReceiptDraft } from '../../protocol/proof/receipt.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { IssuedReceipt, ReceiptLog } from '../../transparency/receipt-log.ts'
import { isRenumbered } from '../../transparency/receipt-store.ts'
import type { AnsweredCall } from './grant-calls.ts'
import type { GrantChange } from './grant-mirror.ts'

/** More than this are signed in portions while others are written: that takes a transaction of several statements. */
export const AT_ONCE_MAX = 64

/** One act about one person, with a number in the consent sequence and a receipt of its own. */
export type ConsentEntry = {
  readonly person: number
  readonly draft: Omit<ReceiptDraft, 'subjectOf'>
} & (
  | { readonly what: 'grant'; readonly terms: number; readonly from: number; readonly until: number }
  | { readonly what: 'revocation'; readonly grant: number }
  | { readonly what: 'objection'; readonly dataSet: DataSetId | undefined; readonly purpose: string }
  | { readonly what: 'withdrawal'; readonly objection: number }
)

/** A change of consent that needs no weighing. */
export interface ProposedChange {
  readonly entries: readonly ConsentEntry[]
  /** People whose grants end: what waits for another guardian of theirs would go along. */
  readonly revoking?: readonly number[]
  /** The change, its entries numbered from `first` on. */
  readonly changeFrom: (first: number) => GrantChange
  readonly unchanged: number
}

/** The same with who makes it, and with the call and its answer where it came under a key. */
export type SignedChange = ProposedChange & {
  readonly by: string
  readonly call?: AnsweredCall | undefined
}

/** What making changes at once needs of a site. */
interface AtOnceParts {
  readonly db: Database
  readonly receipts: Pick<ReceiptLog, 'sign' | 'expectedNext' | 'nextByRecord' | 'unused' | 'committed'>
  readonly subjectOf: (
    subjects: readonly { readonly person: number; readonly text: string }[],
  ) => Promise<readonly Digest[]>
}

/**
 * What became of changes at once: made; not made, because something there has to be weighed or one of them cannot be written; or
 * nobody knows, because the record was never heard to say.
 */
export type AtOnceOutcome = 'done' | 'undone' | { readonly unheard: unknown }

/**
 * Makes changes of consent by one statement of the record (`0360-change-consent-together.ts`, and 0700 for calls under keys), all or none, with their receipts; gives
 * what became of them. No two may be about the same person. It runs in the turn of changes, so that nobody of this process changes the
 * sequence meanwhile.
 */
export async function changeAtOnce(
  { db, receipts: log, subjectOf }: AtOnceParts,
  changes: readonly SignedChange[],
  { last, now }: { readonly last: number; readonly now: Instant },
): Promise<AtOnceOutcome> {
  const entries = changes.flatMap((change) => change.entries)
  for (let attempt = 0, first = log.expectedNext(); attempt < ATTEMPTS_MAX; attempt += 1) {
    const receipts = await signed(entries, { log, subjectOf, first, last })
    if (!receipts) return 'undone'
    const outcome = await write(db, changes, { receipts, last, now })
    if (outcome === 'done') log.committed(receipts)
    if (outcome === 'done' || typeof outcome === 'object') return outcome
    log.unused(receipts)
    if (outcome === 'undone') return outcome
    first = await log.nextByRecord()
  }
  return 'undone'
}

/** Their receipts; `undefined` where one cannot be signed, which shows again where each is made in steps. */
async function signed(
  entries: readonly ConsentEntry[],
  {
    log,
    subjectOf,
    first,
    last,
  }: Pick<AtOnceParts, 'subjectOf'> & { log: AtOnceParts['receipts']; first: number; last: number },
): Promise<readonly IssuedReceipt[] | undefined> {
  try {
    const subjects = await subjectOf(
      entries.map(({ person, draft: { kind } }, index) => ({ person, text: `${kind} ${last + 1 + index}` })),
    )
    return await log.sign(
      first,
      entries.map(({ draft }, index) => ({ ...draft, subjectOf: subjects[index] })),
    )
  } catch {
    return undefined
  }
}

/** Others take numbers of receipts at the same time. */
const ATTEMPTS_MAX = 3

/** As above; or others had taken the numbers of the receipts. */
type Outcome = AtOnceOutcome | 'renumbered'

/** Values and constraints (SQLSTATE classes 22 and 23): the record says that it wrote nothing, and why. */
const REFUSED = /^2[23]/

async function write(
  db: Database,
  changes: readonly SignedChange[],
  { receipts, last, now }: { receipts: readonly IssuedReceipt[]; last: number; now: Instant },
): Promise<Outcome> {
  const [first] = receipts
  if (!first) throw new Fault('fault.internal', { what: 'The log gave too few receipts' })
  const entries = changes.flatMap((change) => change.entries)
  const placed = entries.map((entry, index) => ({ ...entry, place: index + 1 }))
  const grants = placed.filter((entry) => entry.what === 'grant')
  const revocations = placed.filter((entry) => entry.what === 'revocation')
  const objections = placed.filter((entry) => entry.what === 'objection')
  const withdrawals = placed.filter((entry) => entry.what === 'withdrawal')
  const calls = changes.flatMap(({ call }) => call ?? [])
  const statement = sql<{ done: boolean }>`
    ${KEPT} select change_consent_once(${calls.map(({ key }) => key)}::text[], ${calls.map(({ digest }) => digest)}::text[],
      ${calls.map(({ answer }) => answer.changed)}::integer[], ${calls.map(({ answer }) => answer.unchanged)}::integer[],
      ${calls.map(({ answer }) => answer.sequence)}::bigint[],
      ${last}::bigint, ${first.sequence}::bigint, ${entries.map(({ draft }) => draft.kind)}::text[],
      ${receipts.map(({ jws }) => jws)}::text[], ${changes.flatMap((change) => change.entries.map(() => change.by))}::text[],
      ${now}::bigint,
      ${placesOf(grants)}::integer[], ${grants.map(({ person }) => person)}::integer[], ${grants.map(({ terms }) => terms)}::integer[],
      ${grants.map(({ from }) => from)}::bigint[], ${grants.map(({ until }) => (until === Infinity ? null : until))}::bigint[],
      ${placesOf(revocations)}::integer[], ${revocations.map(({ grant }) => grant)}::bigint[],
      ${changes.flatMap(({ revoking = [] }) => revoking)}::integer[],
      ${placesOf(objections)}::integer[], ${objections.map(({ person }) => person)}::integer[],
      ${objections.map(({ dataSet }) => dataSet ?? null)}::text[], ${objections.map(({ purpose }) => purpose)}::text[],
      ${placesOf(withdrawals)}::integer[], ${withdrawals.map(({ objection }) => objection)}::bigint[]) as done`
  try {
    const { rows } = await statement.execute(db)
    return rows[0]?.done === true ? 'done' : 'undone'
  } catch (error) {
    if (isRenumbered(error)) return 'renumbered'
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    return REFUSED.test(code) ? 'undone' : { unheard: error }
  }
}

function placesOf(entries: readonly { readonly place: number }[]): readonly number[] {
  return entries.map(({ place }) => place)
}
