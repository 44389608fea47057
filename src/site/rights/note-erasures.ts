import { Bitset } from '../../kernel/bitset.ts'
import type { Instant } from '../../kernel/clock.ts'
import { later } from '../../kernel/clock.ts'
import { SharedWrite } from '../../kernel/group-commit.ts'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { peopleGivenRows } from '../asks/rows-given.ts'
import { rowsDisclosed } from '../asks/rows-recipients.ts'
import { withdrawReleases } from '../asks/withdraw-releases.ts'
import { changeGrants } from '../consent/change-grants.ts'
import type { ConsentContext } from '../consent/change-grants.ts'
import type { LiveGrant } from '../consent/grant-store.ts'
import { revokeAllOf } from '../consent/revoke-grants.ts'
import { endAllOf } from '../principals/end-guardianship.ts'
import { noteDisclosed } from '../recipients/note-recipients.ts'
import { insertWithdrawals } from '../recipients/withdrawal-store.ts'
import { claimKeys } from '../vault/keys/hold-keys.ts'
import type { ErasureParts, ErasureRequest } from './erasure-request.ts'
import { forgetTraces, insertErasures } from './erasure-store.ts'
import type { ErasureRecord } from './erasure-store.ts'

/** An erasure that is to be noted, under its id. */
export interface ErasureToNote {
  readonly parts: ErasureParts
  readonly request: ErasureRequest & { readonly erasure: string }
}

/** The erasure as it stands in the record; `undefined` where the person had been erased before or is kept. Whether somebody is to be told. */
export interface NotedErasure {
  readonly noted: ErasureRecord | undefined
  readonly isKept: boolean
  readonly isAnybodyTold: boolean
}

/** Erasures that are noted in one transaction. */
const NOTED_AT_ONCE = 16

const lines = new WeakMap<ConsentContext, SharedWrite<ErasureToNote, NotedErasure>>()

/**
 * Notes an erasure in the record, as one change of grants: with the key destroyed, grants withdrawn, and answers in waiting taken
 * back. Those that come while one is being noted are noted together; where that cannot be, each alone.
 */
export async function noteErasure(toNote: ErasureToNote): Promise<NotedErasure> {
  const { consent } = toNote.parts
  const line = lines.get(consent) ?? new SharedWrite(noteTogether, NOTED_AT_ONCE)
  lines.set(consent, line)
  return line.add(toNote)
}

async function noteTogether(all: readonly ErasureToNote[]): Promise<readonly NotedErasure[]> {
  const [first] = all
  if (!first) return []
  let outcomes: NotedErasure[] = []
  await changeGrants(first.parts.consent, {
    body: { erase: all.map(({ request }) => request.erasure) },
    facts: { by: first.request.requestedBy },
    act: async (tx, { last, now }) => {
      // First, as whoever holds them does before its receipts: two that wait for each other would both fail.
      await claimKeys(
        tx,
        all.map(({ request }) => request.person),
      )
      const kept = await keptOf(tx, all, now)
      const noted = await insertAll(
        tx,
        all.filter((one) => !kept.has(one)),
        now,
      )
      const fresh = all.filter(({ request }) => noted.has(request.erasure))
      const people = fresh.map(({ request }) => request.person)
      // In the order in which corrections take theirs: what is under way for a person, then what counts changed rows.
      await noteChanges(tx, fresh)
      const told = await withdrawRows(tx, fresh, now)
      outcomes = all.map((one) => ({
        noted: noted.get(one.request.erasure),
        isKept: kept.has(one),
        isAnybodyTold: told.has(one.request.erasure),
      }))
      // Last, because from its first receipt on nobody else is given one.
      const revoked = await endGrants(tx, fresh, { last, now })
      for (const [personKeys, theirs] of Map.groupBy(fresh, ({ parts }) => parts.personKeys))
        await personKeys.destroyKeys(
          tx,
          theirs.map(({ request }) => request.person),
        )
      return {
        change: {
          sequence: last + revoked.length,
          newTerms: [],
          given: [],
          revoked,
          ...(fresh.length === 0
            ? {}
            : {
                principals: people.map((person) => ({ what: 'forgotten', person }) as const),
              }),
        },
        unchanged: 0,
      }
    },
  })
  return outcomes
}

/** Those of people who are kept after all, by what their requests ask. */
async function keptOf(
  tx: DatabaseTransaction,
  all: readonly ErasureToNote[],
  now: Instant,
): Promise<ReadonlySet<ErasureToNote>> {
  const kept = new Set<ErasureToNote>()
  for (const [whoIsKept, theirs] of Map.groupBy(all, ({ request }) => request.whoIsKept)) {
    const people = theirs.map(({ request }) => request.person)
    const known = await whoIsKept?.(tx, { people, now })
    for (const one of theirs) if (known?.has(one.request.person)) kept.add(one)
  }
  return kept
}

/** The erasures themselves, by their names; what else is kept of the people goes, but for their grants and their keys. */
async function insertAll(
  tx: DatabaseTransaction,
  all: readonly ErasureToNote[],
  now: Instant,
): Promise<ReadonlyMap<string, ErasureRecord>> {
  const [first] = all
  const known = await first?.parts.personKeys.knownBy(
    tx,
    all.map(({ request: { person, erasure } }) => ({ person, text: `erasure ${erasure}` })),
  )
  const noted = await insertErasures(
    tx,
    all.map(({ parts, request }, index) => {
      const { standing, requestKey } = request
      const own = known?.[index]
      return {
        ...request,
        requestKey,
        requestedAt: standing?.requestedAt ?? now,
        permanentBy: later(now, parts.erasureWindowMs),
        subjectOf: standing?.subjectOf ?? own?.subjectOf,
        keyDigest: standing?.keyDigest ?? own?.mark,
      }
    }),
  )
  const fresh = all.filter(({ request }) => noted.has(request.erasure))
  if (fresh.length > 0)
    await forgetTraces(
      tx,
      fresh.map(({ request }) => request),
    )
  return noted
}

/**
 * Rows are about to go: an answer that was computed over them and is not decided yet must not be. One data set after another, as
 * whoever else locks several does. Those of all are one change: what an answer may cut is the same as after one for each.
 */
async function noteChanges(tx: DatabaseTransaction, all: readonly ErasureToNote[]): Promise<void> {
  const dataSets = new Set(all.flatMap(({ parts }) => [...parts.manifests().keys()]))
  for (const dataSet of [...dataSets].toSorted()) {
    const theirs: ErasureToNote[] = []
    for (const one of all)
      if ((await one.parts.vault.people(dataSet)).has(one.request.person)) theirs.push(one)
    const [first] = theirs
    if (!first) continue
    const { parts, request } = first
    const numbers: number[] = []
    for (const one of theirs) numbers.push(...(await numbersOf(one.parts, one.request.person)))
    await parts.partitions.noteChange(tx, {
      dataSet,
      people: Bitset.of(numbers),
      cause: request.erasure,
    })
  }
}

async function numbersOf({ vault }: Pick<ErasureParts, 'vault'>, person: number): Promise<readonly number[]> {
  return (await vault.households()).numbersOf(person)
}

/** Whoever was given rows of the people is told, and the network deletes what is sealed. Gives the erasures of which anybody is told. */
async function withdrawRows(
  tx: DatabaseTransaction,
  all: readonly ErasureToNote[],
  now: Instant,
): Promise<ReadonlySet<string>> {
  const told = new Set<string>()
  if (all.length === 0) return told
  const given = await peopleGivenRows(
    tx,
    all.map(({ request }) => request.person),
  )
  for (const one of all)
    if (given.has(one.request.person) && (await withdrawOne(tx, one, now))) told.add(one.request.erasure)
  return told
}

async function withdrawOne(
  tx: DatabaseTransaction,
  { parts, request: { person, erasure, issuer } }: ErasureToNote,
  now: Instant,
): Promise<boolean> {
  await withdrawReleases(tx, { person, parts, now })
  const disclosed = await rowsDisclosed(tx, { person, numbers: await numbersOf(parts, person) })
  await insertWithdrawals(tx, { erasure, person, now, asks: disclosed })
  const event = { kind: 'erasure', cause: erasure, person, issuer, now } as const
  await noteDisclosed(tx, parts, { event, disclosed: disclosed.filter(({ isPushed }) => isPushed) })
  return disclosed.length > 0
}

/** All grants of the people, and those that they gave as guardians of others: whoever is erased speaks for nobody. */
async function endGrants(
  tx: DatabaseTransaction,
  all: readonly ErasureToNote[],
  { last, now }: { last: number; now: Instant },
): Promise<readonly LiveGrant[]> {
  const revoked: LiveGrant[] = []
  for (const [by, theirs] of Map.groupBy(all, ({ request }) => request.requestedBy)) {
    const [first] = theirs
    if (!first) continue
    const { consent } = first.parts
    const people = theirs.map(({ request }) => request.person)
    revoked.push(
      ...(await revokeAllOf(tx, people, { context: consent, last: last + revoked.length, now, by })),
    )
    const marks = theirs.flatMap(({ request }) => request.guardianMark ?? [])
    revoked.push(...(await endAllOf(tx, first.parts, { marks, last: last + revoked.length, now, by })))
  }
  return revoked
}
