import type { Clock, Instant } from '../../kernel/clock.ts'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import type { Digest } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import { GroupCommit } from '../../kernel/group-commit.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { faultOf } from '../../kernel/postgres/fault-of.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { StoredGuardianship } from '../principals/guardianship-store.ts'
import { readPrincipalFacts } from '../principals/principal-store.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import type { GrantChange } from './grant-mirror.ts'
import { GrantMirror } from './grant-mirror.ts'
import { changeAtOnce } from './change-at-once.ts'
import type { ProposedChange, SignedChange } from './change-at-once.ts'
import { changesAfter, lockSequence, raiseSequence } from './grant-store.ts'
import type { RequestMark } from '../record/request-mark.ts'
import { readHeldBases } from './basis-store.ts'
import { findCall, recordCall } from './grant-calls.ts'
import { objectionChangesAfter } from './objection-store.ts'
import type { GrantsChanged, KeyedCall } from './grant-calls.ts'

/** What giving and revoking need. */
export interface ConsentContext {
  readonly db: Database
  readonly mirror: GrantMirror
  readonly receipts: Pick<
    ReceiptLog,
    'issue' | 'sign' | 'expectedNext' | 'nextByRecord' | 'unused' | 'committed'
  >
  readonly clock: Clock
  /** The manifest of a data set that is here; `undefined` when there is none. */
  readonly findManifest: (dataSet: DataSetId) => Promise<Manifest | undefined> | Manifest | undefined
  /** Numbers of people by the keys their issuer knows them by, in order; negative where there is nobody. */
  readonly findPeople: (dataSet: DataSetId, keys: readonly string[]) => Promise<ArrayLike<number>>
  /** What the guardian whom a data set's issuer knows by a key is known by here; `undefined` without such a data set. */
  readonly markOf: (dataSet: DataSetId, key: string) => Uint8Array | undefined
  /** Those of guardianships whose guardian is not known here to be too young to decide for themselves. */
  readonly ofGrownUps: (
    guardianships: readonly StoredGuardianship[],
    now: Instant,
  ) => Promise<readonly StoredGuardianship[]>
  /** Puts what people took back where a restore finds it; waited for before a change is acknowledged. */
  readonly keepApart: () => Promise<void>
  /** What the body of a call that is remembered stands as. */
  readonly requestMark: RequestMark
  /** HMAC of each text under the key of the person it is about, by which only that person's record finds a receipt. */
  readonly subjectOf: (subjects: readonly ReceiptSubject[]) => Promise<readonly Digest[]>
}

/** Whom a receipt is about, and the text that their key is applied to: `grant 17` or `revocation 18`. */
export interface ReceiptSubject {
  readonly person: number
  readonly text: string
}

/** Who makes a change, and the key under which it happens once. */
export interface ChangeFacts {
  /** Kept in the record: `operator`, `issuer:NAME`, `person` or `guardian:ID`. */
  readonly by: string
  /** The guardianship of the guardian who makes it. */
  readonly guardianship?: string | undefined
  readonly idempotencyKey?: string | undefined
}

/** The part of a change that differs between giving and revoking; `last` is the sequence before it. */
export type ChangeAct = (
  tx: DatabaseTransaction,
  at: { readonly last: number; readonly now: Instant },
) => Promise<{ readonly change: GrantChange; readonly unchanged: number }>

/** The same as one of several that are made by one statement of the record. */
export interface AtOnce {
  /** Whom it is about: two about one person are made one after the other. */
  readonly people: readonly number[]
  /** What it would write; `undefined` where it has to be made in steps. Within the turn of changes. */
  readonly propose: (now: Instant) => Promise<ProposedChange | undefined>
}

/** A change that somebody asks for. */
interface AskedChange {
  readonly body: unknown
  readonly facts: ChangeFacts
  readonly act: ChangeAct
  readonly atOnce?: AtOnce | undefined
}

interface MadeChange {
  readonly answer: GrantsChanged
  readonly change?: GrantChange
}

/**
 * Makes one change of grants: a transaction of the record under the lock of its sequence, then the mirror, and only
 * then the answer. `body` is what the idempotency key stands for: the same key with another body is a fault. Those that can be made at
 * once and come at the same time are one transaction.
 */
export async function changeGrants(context: ConsentContext, asked: AskedChange): Promise<GrantsChanged> {
  const { atOnce } = asked
  const outcome = atOnce
    ? await lineOf(context).add({ ...asked, atOnce })
    : await context.mirror.changes.run(() => changeAlone(context, asked))
  if ('error' in outcome) throw faultOf(outcome.error, 'Cannot change grants')
  const { answer, change } = outcome.made
  // Of what is only given nothing has to be known apart; all else may have been left unsaid before, and asked again.
  if (!change || change.given.length === 0 || change.revoked.length > 0) await context.keepApart()
  return answer
}

/** Calls whose changes are made together. */
const CALLS_AT_ONCE = 32

type Outcome = { readonly made: MadeChange } | { readonly error: unknown }
type AskedAtOnce = AskedChange & { readonly atOnce: AtOnce }

const lines = new WeakMap<ConsentContext, GroupCommit<AskedAtOnce, Outcome>>()

function lineOf(context: ConsentContext): GroupCommit<AskedAtOnce, Outcome> {
  const known =
    lines.get(context) ??
    new GroupCommit((all) => context.mirror.changes.run(() => changeAll(context, all)), CALLS_AT_ONCE)
  lines.set(context, known)
  return known
}

async function changeAll(
  context: ConsentContext,
  asked: readonly AskedAtOnce[],
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (const some of ofOthers(asked)) outcomes.push(...(await changeSome(context, some)))
  return outcomes
}

/** Cuts a line where somebody comes up again: what is read for one change must not be written by another beside it. */
function ofOthers(asked: readonly AskedAtOnce[]): readonly (readonly AskedAtOnce[])[] {
  const parts: AskedAtOnce[][] = []
  let people = new Set<number>()
  for (const one of asked) {
    const own = one.atOnce.people
    if (parts.length === 0 || own.some((person) => person >= 0 && people.has(person))) {
      parts.push([])
      people = new Set()
    }
    for (const person of own) people.add(person)
    parts.at(-1)?.push(one)
  }
  return parts
}

/** A change that is ready to be made by one statement; `place` is where it stands among those that were asked for. */
interface ReadyChange {
  readonly place: number
  readonly one: AskedAtOnce
  readonly proposed: ProposedChange
}

/**
 * Changes of different people: together what can be, however many others there are that change nothing or have to be made in
 * steps. What cannot be made with others is looked for by halves, and is nobody else's matter.
 */
async function changeSome(
  context: ConsentContext,
  asked: readonly AskedAtOnce[],
): Promise<readonly Outcome[]> {
  const { mirror, clock } = context
  const outcomes: Outcome[] = []
  const ready: ReadyChange[] = []
  const now = clock.now()
  let last = mirror.sequence
  const proposals = await Promise.allSettled(asked.map(({ atOnce }) => atOnce.propose(now)))
  const inSteps: number[] = []
  for (const [place, one] of asked.entries()) {
    const proposal = proposals[place]
    if (proposal?.status === 'rejected') outcomes[place] = { error: proposal.reason }
    else if (proposal?.value) ready.push({ place, one, proposed: proposal.value })
    else inSteps.push(place)
  }
  for (const part of portions(ready)) {
    // What was read for these is no longer what is there, where the record was found to be elsewhere.
    const made = mirror.sequence === last ? await changeTogether(context, part, now) : undefined
    for (const [index, outcome] of (made ?? (await changeApart(context, part))).entries())
      outcomes[part[index]?.place ?? -1] = outcome
    if (made) last = mirror.sequence
  }
  for (const place of inSteps) {
    const one = asked[place]
    if (one) outcomes[place] = await changeAlone(context, one)
  }
  return outcomes
}

/** Entries of one statement: whoever comes meanwhile waits for it. */
const ENTRIES_AT_ONCE = 256

function portions(ready: readonly ReadyChange[]): readonly (readonly ReadyChange[])[] {
  const parts: ReadyChange[][] = []
  let entries = Infinity
  for (const change of ready) {
    const own = change.proposed.entries.length
    if (entries + own > ENTRIES_AT_ONCE) {
      parts.push([])
      entries = 0
    }
    entries += own
    parts.at(-1)?.push(change)
  }
  return parts
}

/** Makes all of some changes by one statement, or none; `undefined` where they were not made, and each may be for itself. */
async function changeTogether(
  context: ConsentContext,
  ready: readonly ReadyChange[],
  now: Instant,
): Promise<readonly Outcome[] | undefined> {
  const { mirror } = context
  const last = mirror.sequence
  let reached = last
  const made = ready.map(({ proposed: { changeFrom, unchanged } }): Required<MadeChange> => {
    const change = changeFrom(reached + 1)
    reached = change.sequence
    return { answer: answerOf({ change, unchanged }), change }
  })
  const changes = ready.map(({ one, proposed }, index): SignedChange => {
    const [call, answer] = [callOf(context, one), made[index]?.answer]
    return { ...proposed, by: one.facts.by, call: call && answer && { ...call, answer } }
  })
  const outcome = await changeAtOnce(context, changes, { last, now }).catch((error: unknown) => ({
    unheard: error,
  }))
  if (outcome === 'undone') return undefined
  // They may have been made: whoever made them anew would be told that there was nothing to change.
  if (outcome !== 'done') return ready.map(() => ({ error: outcome.unheard }))
  for (const { change } of made) mirror.apply(change)
  return made.map((one) => ({ made: one }))
}

/** What was not made together: by halves, and what is left alone in steps. */
async function changeApart(
  context: ConsentContext,
  ready: readonly ReadyChange[],
): Promise<readonly Outcome[]> {
  const [first, ...others] = ready.map(({ one }) => one)
  if (!first) return []
  if (others.length === 0) return [await changeAlone(context, first)]
  const half = Math.ceil(ready.length / 2)
  const all = [first, ...others]
  const before = await changeSome(context, all.slice(0, half))
  return [...before, ...(await changeSome(context, all.slice(half)))]
}

async function changeAlone(context: ConsentContext, asked: AskedChange): Promise<Outcome> {
  try {
    const made = await changeInSteps(context, asked)
    if (made.change) context.mirror.apply(made.change)
    return { made }
  } catch (error) {
    return { error }
  }
}

async function changeInSteps(context: ConsentContext, asked: AskedChange): Promise<MadeChange> {
  const { db, mirror, clock } = context
  const call = callOf(context, asked)
  return db.transaction().execute(async (tx) => {
    const last = await lockSequence(tx)
    // A commit whose outcome was never heard of may have happened: whatever the record knows, the mirror learns.
    if (last !== mirror.sequence) await catchUp(tx, mirror)
    const earlier = call && (await findCall(tx, call))
    if (earlier) return { answer: earlier }
    const made = await asked.act(tx, { last, now: clock.now() })
    if (made.change.sequence !== last) await raiseSequence(tx, made.change.sequence)
    const answer = answerOf(made)
    if (call) await recordCall(tx, { ...call, answer })
    return { answer, change: made.change }
  })
}

/** A call by its key, and what its body stands as; `undefined` of one without a key. */
function callOf(
  { requestMark: mark }: ConsentContext,
  { facts: { idempotencyKey: key }, body }: Pick<AskedChange, 'facts' | 'body'>,
): KeyedCall | undefined {
  return key === undefined ? undefined : { key, digest: mark(canonicalJson(body)) }
}

function answerOf({ change, unchanged }: { change: GrantChange; unchanged: number }): GrantsChanged {
  const { awaiting = 0, sequence } = change
  return { changed: changedBy(change), unchanged, sequence, ...(awaiting > 0 ? { awaiting } : {}) }
}

/** What a grant takes the place of ends with it and is no change of its own. */
function changedBy(change: GrantChange): number {
  const { given, revoked, objected = [], objectionsWithdrawn = [], refused, unagreed = 0, bases } = change
  if (change.principals !== undefined) return change.principals.length
  if (refused !== undefined) return refused
  if (bases !== undefined) return bases.length
  const grants = given.length > 0 ? given.length : revoked.length
  return grants + objected.length + objectionsWithdrawn.length + unagreed
}

/** Fills a mirror from the record, at the start of a server. */
export async function loadGrantMirror(db: Database): Promise<GrantMirror> {
  const mirror = new GrantMirror()
  await catchUp(db, mirror)
  return mirror
}

async function catchUp(db: Database, mirror: GrantMirror): Promise<void> {
  const since = mirror.sequence
  for await (const change of changesAfter(db, since)) mirror.apply(change)
  // The mirror at its start knows none; later only those of a commit that was never heard of are missing.
  const objections = await objectionChangesAfter(db, since)
  const allBases = await readHeldBases(db)
  const allPrincipals = await readPrincipalFacts(db)
  const all = { ...objections, allBases, allPrincipals }
  mirror.apply({ sequence: mirror.sequence, newTerms: [], given: [], revoked: [], ...all })
}

/** The problem of a request as a fault that names each wrong field. */
export function malformed(
  errors: readonly { field: string; expected: string }[],
  what = 'the grants',
): Fault {
  const shown = errors.slice(0, 20)
  const rest = errors.length - shown.length
  return new Fault('fault.request_malformed', {
    what: `Cannot take ${what}: ${shown[0]?.field ?? ''}: ${shown[0]?.expected ?? ''}${errors.length > 1 ? `, and ${errors.length - 1} more` : ''}`,
    errors: rest > 0 ? [...shown, { field: '(more)', expected: `${rest} more problems` }] : shown,
  })
}
