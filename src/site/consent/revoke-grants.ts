import { canonicalJson } from '../../kernel/canonical-json.ts'
import type { Instant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { GrantTerms } from '../../protocol/consent/grant.ts'
import type { RevocationRequest } from '../../protocol/http/site-api.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { changeGrants, malformed } from './change-grants.ts'
import type { ChangeFacts, ConsentContext } from './change-grants.ts'
import { AT_ONCE_MAX } from './change-at-once.ts'
import type { ProposedChange } from './change-at-once.ts'
import type { GrantsChanged } from './grant-calls.ts'
import { withdrawAgreements } from './guardian-agreements.ts'
import { peopleOf } from './people-of.ts'
import { digestOfTerms, insertRevocations, liveGrantsNamed, liveGrantsOf } from './grant-store.ts'
import type { LiveGrant, RevocationCause } from './grant-store.ts'

/** A grant that is about to end, with its terms for the receipt. */
export type EndingGrant = LiveGrant & { readonly grantTerms: GrantTerms }

/**
 * Revokes grants, all that the requests name or none, in one transaction with a receipt each; from the moment this
 * resolves no run that starts reads these people's rows under them (GDPR Art. 7(3)). Revoking what was never given or
 * is revoked already changes nothing, and says nothing about whether the person is known.
 */
export async function revokeGrants(
  context: ConsentContext,
  requests: readonly RevocationRequest[],
  facts: ChangeFacts,
): Promise<GrantsChanged> {
  if (requests.length > LIMITS.grantsPerCallMax) {
    throw malformed([
      { field: 'revocations', expected: `expected at most ${LIMITS.grantsPerCallMax} in one call` },
    ])
  }
  const people = await peopleOf(context, requests)
  return changeGrants(context, {
    body: { revoke: requests },
    facts,
    atOnce: { people, propose: () => proposeRevocations(context, { requests, people }) },
    act: async (tx, { last, now }) => {
      const { ending, unchanged } = await endingGrants(tx, { requests, people })
      const revoked = await writeRevocations(tx, ending, { context, last, now, by: facts.by })
      const unagreed = await withdrawWaiting(tx, { requests, people, now })
      const change = { sequence: last + revoked.length, newTerms: [], given: [], revoked, unagreed }
      return { change, unchanged: Math.max(0, unchanged - unagreed) }
    },
  })
}

interface NamedRevocations {
  readonly requests: readonly RevocationRequest[]
  readonly people: readonly number[]
}

/** The live grants that are named, and how many requests name none. */
async function endingGrants(
  db: Database,
  { requests, people }: NamedRevocations,
): Promise<{ readonly ending: readonly EndingGrant[]; readonly unchanged: number }> {
  const ending = new Map<number, EndingGrant>()
  let unchanged = 0
  const live = await liveGrantsByPerson(db, requests, people)
  for (const [index, request] of requests.entries()) {
    const theirs = live.get(personKey(request.dataSet, people[index] ?? -1)) ?? []
    const named = theirs.filter((grant) => isNamed(grant, request))
    if (named.length === 0) unchanged += 1
    for (const grant of named) ending.set(grant.sequence, grant)
  }
  return { ending: [...ending.values()], unchanged }
}

/** The common case: grants of people for whom nothing waits. */
async function proposeRevocations(
  { db }: ConsentContext,
  named: NamedRevocations,
): Promise<ProposedChange | undefined> {
  if (named.requests.length > AT_ONCE_MAX) return undefined
  const { ending, unchanged } = await endingGrants(db, named)
  if (ending.length === 0 || ending.length > AT_ONCE_MAX) return undefined
  return {
    entries: ending.map(({ sequence, person, grantTerms }) => ({
      what: 'revocation',
      person,
      grant: sequence,
      draft: { kind: 'revocation', dataSet: grantTerms.dataSet, policy: digestOfTerms(grantTerms) },
    })),
    revoking: named.people.filter((person) => person >= 0),
    changeFrom: (first) => ({
      sequence: first + ending.length - 1,
      newTerms: [],
      given: [],
      revoked: ending.map((grant, index) => ({ ...grant, sequence: first + index })),
    }),
    unchanged,
  }
}

/** What one guardian agreed to and another has not yet goes as well, whatever the grantee: it would only be asked anew. */
async function withdrawWaiting(
  tx: DatabaseTransaction,
  {
    requests,
    people,
    now,
  }: { requests: readonly RevocationRequest[]; people: readonly number[]; now: Instant },
): Promise<number> {
  let withdrawn = 0
  const whole = [...requests.entries()].filter(([, { grant }]) => grant === undefined)
  for (const [dataSet, own] of Map.groupBy(whole, ([, request]) => request.dataSet)) {
    const numbers = own.map(([index]) => people[index] ?? -1)
    withdrawn += await withdrawAgreements(tx, { people: numbers, dataSet, now })
  }
  return withdrawn
}

/** Revokes all that people ever granted, within a change of grants: for whoever is erased. */
export async function revokeAllOf(
  tx: DatabaseTransaction,
  people: readonly number[],
  at: { context: ConsentContext; last: number; now: Instant; by: string },
): Promise<readonly LiveGrant[]> {
  return writeRevocations(tx, await liveGrantsOf(tx, { people }), at)
}

/** The name of a grant outside: `grant_17` for the one given with sequence 17. */
export function grantName(sequence: number): string {
  return `grant_${sequence}`
}

function isNamed({ sequence, grantTerms }: EndingGrant, { grant, grantee }: RevocationRequest): boolean {
  if (grant !== undefined && grant !== grantName(sequence)) return false
  return grantee === undefined || canonicalJson(grantee) === canonicalJson(grantTerms.grantee)
}

function personKey(dataSet: DataSetId, person: number): string {
  return `${dataSet} ${person}`
}

async function liveGrantsByPerson(
  tx: Database,
  requests: readonly RevocationRequest[],
  people: readonly number[],
): Promise<ReadonlyMap<string, readonly EndingGrant[]>> {
  const live = new Map<string, EndingGrant[]>()
  for (const [dataSet, indexes] of Map.groupBy(requests.keys(), (index) => requests[index]?.dataSet)) {
    if (dataSet === undefined) continue
    const numbers = new Set(indexes.map((index) => people[index] ?? -1))
    const named = [...numbers].filter((number) => number >= 0)
    const grants = await liveGrantsNamed(tx, { people: named, dataSet })
    for (const grant of grants) {
      const key = personKey(dataSet, grant.person)
      const theirs = live.get(key)
      if (theirs) theirs.push(grant)
      else live.set(key, [grant])
    }
  }
  return live
}

/** Writes that grants end, with a receipt each. */
export async function writeRevocations(
  tx: DatabaseTransaction,
  ending: readonly EndingGrant[],
  {
    context,
    last,
    now,
    by,
    cause = 'withdrawn',
  }: {
    context: ConsentContext
    last: number
    now: Instant
    by: string
    cause?: RevocationCause
  },
): Promise<readonly LiveGrant[]> {
  if (ending.length === 0) return []
  const subjects = await context.subjectOf(
    ending.map(({ person }, index) => ({ person, text: `revocation ${last + 1 + index}` })),
  )
  const receipts = await context.receipts.issue(
    tx,
    ending.map(({ grantTerms }, index) => ({
      kind: 'revocation',
      subjectOf: subjects[index],
      dataSet: grantTerms.dataSet,
      policy: digestOfTerms(grantTerms),
    })),
  )
  const revocations = ending.map((grant, index) => {
    const receipt = receipts[index]?.sequence
    if (receipt === undefined) throw new Fault('fault.internal', { what: 'The log gave too few receipts' })
    return { sequence: last + 1 + index, grant: grant.sequence, receipt }
  })
  await insertRevocations(tx, revocations, { now, by, cause })
  return ending.map((grant, index) => ({ ...grant, sequence: last + 1 + index }))
}
