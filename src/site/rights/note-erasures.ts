import { Bitset } from '../../kernel/bitset.ts'
import type { Instant } from '../../kernel/clock.ts'
import { later } from '../../kernel/clock.ts'
import { SharedWrite } from '../../kernel/group-commit.ts'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { asksGivenRowsOf } from '../asks/rows-given.ts'
import { rowsDisclosed } from '../asks/rows-recipients.ts'
import { withdrawReleases } from '../asks/withdraw-releases.ts'
import { changeGrants } from '../consent/change-grants.ts'
import type { ConsentContext } from '../consent/change-grants.ts'
import type { LiveGrant } from '../consent/grant-store.ts'
import { revokeAllOf } from '../consent/revoke-grants.ts'
import { endAllOf } from '../principals/end-guardianship.ts'
import { noteDisclosed } from '../recipients/note-recipients.ts'
import { insertWithdrawals } from '../recipients/withdrawal-store.ts'
import type { ErasureParts, ErasureRequest } from './erasure-request.ts'
import { forgetTraces, insertErasure } from './erasure-store.ts'
import type { ErasureRecord } from './erasure-store.ts'

/** An erasure that is to be noted, under its id. */
export interface ErasureToNote {
  readonly parts: ErasureParts
  readonly request: ErasureRequest & { readonly erasure: string }
}

/** The erasure as it stands in the record; `undefined` where the person had been erased before, and whether somebody is to be told. */
export interface NotedErasure {
  readonly noted: ErasureRecord | undefined
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
      outcomes = []
      for (const one of all) outcomes.push({ noted: await insertOne(tx, one, now), isAnybodyTold: false })
      const fresh = all.filter((_, index) => outcomes[index]?.noted !== undefined)
      // In the order in which corrections take theirs: what is under way for a person, then what counts changed rows.
      await noteChanges(tx, fresh)
      const told = new Set<string>()
      for (const one of fresh) if (await withdrawRows(tx, one, now)) told.add(one.request.erasure)
      outcomes = outcomes.map(({ noted }) => ({ noted, isAnybodyTold: told.has(noted?.erasure ?? '') }))
      // Last, because from its first receipt on nobody else is given one.
      const revoked = await endGrants(tx, fresh, { last, now })
      for (const { parts, request } of fresh) await parts.personKeys.destroyKey(tx, request.person)
      return {
        change: {
          sequence: last + revoked.length,
          newTerms: [],
          given: [],
          revoked,
          ...(fresh.length === 0
            ? {}
            : {
                principals: fresh.map(
                  ({ request }) => ({ what: 'forgotten', person: request.person }) as const,
                ),
              }),
        },
        unchanged: 0,
      }
    },
  })
  return outcomes
}

/** The erasure itself; what else is kept of the person goes, but for their grants and their key. */
async function insertOne(
  tx: DatabaseTransaction,
  { parts, request }: ErasureToNote,
  now: Instant,
): Promise<ErasureRecord | undefined> {
  const { person, erasure, standing } = request
  const own = await parts.personKeys.knownBy(tx, { person, text: `erasure ${erasure}` })
  const noted = await insertErasure(tx, {
    ...request,
    requestKey: request.requestKey,
    requestedAt: standing?.requestedAt ?? now,
    permanentBy: later(now, parts.erasureWindowMs),
    subjectOf: standing?.subjectOf ?? own?.subjectOf,
    keyDigest: standing?.keyDigest ?? own?.mark,
  })
  if (noted) await forgetTraces(tx, request)
  return noted
}

/**
 * Rows are about to go: an answer that was computed over them and is not decided yet must not be. One data set after another, as
 * whoever else locks several does.
 */
async function noteChanges(tx: DatabaseTransaction, all: readonly ErasureToNote[]): Promise<void> {
  const dataSets = new Set(all.flatMap(({ parts }) => [...parts.manifests().keys()]))
  for (const dataSet of [...dataSets].toSorted())
    for (const { parts, request } of all) {
      if (!(await parts.vault.people(dataSet)).has(request.person)) continue
      const people = Bitset.of(await numbersOf(parts, request.person))
      await parts.partitions.noteChange(tx, { dataSet, people, cause: request.erasure })
    }
}

async function numbersOf({ vault }: Pick<ErasureParts, 'vault'>, person: number): Promise<readonly number[]> {
  return (await vault.households()).numbersOf(person)
}

/** Whoever was given rows of the person is told, and the network deletes what is sealed. Gives whether there is anybody. */
async function withdrawRows(
  tx: DatabaseTransaction,
  { parts, request: { person, erasure, issuer } }: ErasureToNote,
  now: Instant,
): Promise<boolean> {
  if ((await asksGivenRowsOf(tx, person)).length === 0) return false
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
    for (const { parts, request } of theirs)
      if (request.guardianMark)
        revoked.push(
          ...(await endAllOf(tx, parts, {
            mark: request.guardianMark,
            last: last + revoked.length,
            now,
            by,
          })),
        )
  }
  return revoked
}
