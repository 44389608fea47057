import { Fault } from '../../kernel/faults.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { isKnownPurpose } from '../../protocol/law/purpose.ts'
import type { ReceiptDraft, ReceiptKind } from '../../protocol/proof/receipt.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { changeGrants, malformed } from './change-grants.ts'
import type { ChangeFacts, ConsentContext } from './change-grants.ts'
import { AT_ONCE_MAX } from './change-at-once.ts'
import type { ConsentEntry, ProposedChange } from './change-at-once.ts'
import type { GrantsChanged } from './grant-calls.ts'
import { insertObjection, insertObjectionWithdrawal, objectionsOf } from './objection-store.ts'

/** To what some people object (one person, under the number each issuer's data has). */
export interface ObjectionFacts {
  readonly people: readonly number[]
  readonly purpose: string
  /** Absent: on every data set of the issuer. */
  readonly dataSet?: DataSetId | undefined
}

/**
 * Objects to a purpose (GDPR Art. 21): from the moment this resolves nobody's use for it, or for a narrower one, has
 * the person in it, whatever the legal basis and whatever was granted. It takes no reason and no weighing first: while
 * the objection is looked at, the person is out (Art. 18(1)(d)).
 */
export function objectTo(
  context: ConsentContext,
  objection: ObjectionFacts,
  facts: ChangeFacts,
): Promise<GrantsChanged> {
  const { purpose, dataSet, people } = objection
  if (!isKnownPurpose(purpose))
    throw malformed(
      [{ field: 'purpose', expected: 'expected a purpose of DPV 2.2, not its root' }],
      'the objection',
    )
  return changeGrants(context, {
    body: { object: objection },
    facts,
    atOnce: { people, propose: () => proposeObjections(context, objection) },
    act: async (tx, { last, now }) => {
      const live = await liveOf(tx, objection)
      const objecting = people.filter((person) => !live.some((one) => one.person === person))
      const receipts = await issueFor(tx, context, { people: objecting, last, kind: 'objection', dataSet })
      const objected = objecting.map((person, index) => {
        const sequence = last + 1 + index
        return { sequence, person, purpose, dataSet, receipt: receipts[index] ?? 0 }
      })
      for (const one of objected) await insertObjection(tx, { ...one, madeAt: now, madeBy: facts.by })
      const change = { sequence: last + objected.length, newTerms: [], given: [], revoked: [], objected }
      return { change, unchanged: people.length - objected.length }
    },
  })
}

/** Withdraws an objection; what was granted counts again. */
export function withdrawObjection(
  context: ConsentContext,
  objection: ObjectionFacts,
  facts: ChangeFacts,
): Promise<GrantsChanged> {
  const { people, dataSet } = objection
  return changeGrants(context, {
    body: { withdrawObjection: objection },
    facts,
    atOnce: { people, propose: () => proposeWithdrawals(context, objection) },
    act: async (tx, { last, now }) => {
      const live = await liveOf(tx, objection)
      const receipts = await issueFor(tx, context, {
        people: live.map(({ person }) => person),
        last,
        kind: 'objection',
        dataSet,
      })
      for (const [index, { sequence }] of live.entries()) {
        await insertObjectionWithdrawal(tx, {
          sequence: last + 1 + index,
          objection: sequence,
          at: now,
          by: facts.by,
          receipt: receipts[index] ?? 0,
        })
      }
      const change = {
        sequence: last + live.length,
        newTerms: [],
        given: [],
        revoked: [],
        objectionsWithdrawn: live,
      }
      return { change, unchanged: people.length - live.length }
    },
  })
}

async function proposeObjections(
  { db }: ConsentContext,
  objection: ObjectionFacts,
): Promise<ProposedChange | undefined> {
  const { people, purpose, dataSet } = objection
  const live = await liveOf(db, objection)
  const objecting = people.filter((person) => !live.some((one) => one.person === person))
  if (objecting.length === 0 || objecting.length > AT_ONCE_MAX) return undefined
  return {
    entries: objecting.map((person) => ({
      what: 'objection',
      person,
      dataSet,
      purpose,
      draft: objectionDraft(dataSet),
    })),
    changeFrom: (first) => ({
      sequence: first + objecting.length - 1,
      newTerms: [],
      given: [],
      revoked: [],
      objected: objecting.map((person, index) => ({ sequence: first + index, person, purpose, dataSet })),
    }),
    unchanged: people.length - objecting.length,
  }
}

async function proposeWithdrawals(
  { db }: ConsentContext,
  objection: ObjectionFacts,
): Promise<ProposedChange | undefined> {
  const live = await liveOf(db, objection)
  if (live.length === 0 || live.length > AT_ONCE_MAX) return undefined
  return {
    entries: live.map(({ sequence, person }) => ({
      what: 'withdrawal',
      person,
      objection: sequence,
      draft: objectionDraft(objection.dataSet),
    })),
    changeFrom: (first) => ({
      sequence: first + live.length - 1,
      newTerms: [],
      given: [],
      revoked: [],
      objectionsWithdrawn: live,
    }),
    unchanged: objection.people.length - live.length,
  }
}

function objectionDraft(dataSet: DataSetId | undefined): ConsentEntry['draft'] {
  return { kind: 'objection', ...(dataSet === undefined ? {} : { dataSet }) }
}

async function liveOf(tx: Database, { people, purpose, dataSet }: ObjectionFacts) {
  const all = await objectionsOf(tx, people)
  return all.filter(
    (one) => one.withdrawnAt === undefined && one.purpose === purpose && one.dataSet === dataSet,
  )
}

/** A receipt for each person, which only their own record can find. */
export async function issueFor(
  tx: DatabaseTransaction,
  { subjectOf, receipts }: Pick<ConsentContext, 'subjectOf' | 'receipts'>,
  {
    people,
    last,
    kind,
    dataSet,
    facts = {},
  }: {
    people: readonly number[]
    last: number
    kind: ReceiptKind
    dataSet?: DataSetId | undefined
    facts?: Pick<ReceiptDraft, 'noticeVersions'>
  },
): Promise<readonly number[]> {
  if (people.length === 0) return []
  const subjects = await subjectOf(
    people.map((person, index) => ({ person, text: `${kind} ${last + 1 + index}` })),
  )
  const issued = await receipts.issue(
    tx,
    subjects.map((subject) => ({
      kind,
      subjectOf: subject,
      ...(dataSet === undefined ? {} : { dataSet }),
      ...facts,
    })),
  )
  if (issued.length !== people.length)
    throw new Fault('fault.internal', { what: 'The log gave too few receipts' })
  return issued.map(({ sequence }) => sequence)
}
