import type { KeyObject } from 'node:crypto'
import type { Instant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import { idSource } from '../../kernel/id.ts'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { RefusalGround, RequestEvent, RequestKind } from '../../protocol/http/request-api.ts'
import { knownAgeOf } from '../principals/who-decides.ts'
import { holdKeys } from '../vault/keys/hold-keys.ts'
import type { SiteContext } from '../site-context.ts'
import { sealPersonText } from '../vault/keys/person-text.ts'
import type { KnownPerson } from './person-reading.ts'
import { mayHappen } from './request-state.ts'
import { insertEvent, insertRequest, lockRequest, readRequests } from './request-store.ts'
import type { StoredRequest } from './request-store.ts'

/** The label under which what is said about a request is sealed. */
export const REQUEST_SAID = 'request-said'

/** What is done to a request. */
export interface RequestAct {
  readonly event: RequestEvent
  readonly by: string
  readonly ground?: RefusalGround | undefined
  readonly said?: string | undefined
}

/**
 * Enters a request of a person, one for each issuer that has data of them here: each answers for its own. The clock runs
 * from when it came, which is not after now.
 */
export async function makeRequests(
  site: SiteContext,
  {
    people,
    kind,
    receivedAt,
    by,
    said,
    doubt,
    alongside,
  }: {
    people: readonly KnownPerson[]
    kind: RequestKind
    receivedAt?: Instant | undefined
    by: string
    said?: string | undefined
    /** Why it is not clear who asks: then it waits for that from its beginning (GDPR Art. 12(6)). */
    doubt?: string | undefined
    /** What is written beside it, all or nothing. */
    alongside?: ((tx: DatabaseTransaction, made: readonly string[]) => Promise<void>) | undefined
  },
): Promise<readonly string[]> {
  const { clock, random, db } = site
  const now = clock.now()
  const received = receivedAt ?? now
  if (received > now) {
    throw new Fault('fault.request_malformed', {
      what: 'Cannot enter the request: it came after now',
      errors: [{ field: 'receivedAt', expected: 'expected a time that has been' }],
    })
  }
  const ids = idSource(clock, random)
  const principals = await site.principals(now)
  return db.transaction().execute(async (tx) => {
    await holdKeys(
      tx,
      people.map(({ number }) => number),
    )
    const made: string[] = []
    for (const { number, issuer } of people) {
      const id = ids.next('req')
      const [country] = knownAgeOf(principals, number).residences
      await insertRequest(tx, { id, person: number, issuer, kind, receivedAt: received, residence: country })
      await append(site, tx, { request: { id, person: number }, act: { event: 'receive', by, said } })
      if (doubt !== undefined) {
        const act = { event: 'doubt_identity', by, said: doubt } as const
        await append(site, tx, { request: { id, person: number }, act })
      }
      made.push(id)
    }
    await alongside?.(tx, made)
    return made
  })
}

/**
 * Does something to a request, if its state and its clock allow it; else `fault.conflict` says why not. An extension and
 * a doubt say why, a refusal on which ground besides (GDPR Art. 12(3), (4), (6)).
 */
export async function handleRequest(
  site: SiteContext,
  { id, act }: { id: string; act: RequestAct },
): Promise<void> {
  requireWords(act)
  await site.db.transaction().execute(async (tx) => {
    await lockRequest(tx, id)
    const [request] = await readRequests(tx, { id, limit: 1 })
    if (!request) throw new Fault('fault.not_found', { what: 'No such thing here, or not for this caller' })
    const allowed = mayHappen(act.event, {
      receivedAt: request.receivedAt,
      events: request.events,
      country: site.territory,
      now: site.clock.now(),
    })
    if (!allowed.ok) {
      throw new Fault('fault.conflict', {
        what: `Cannot ${act.event.replaceAll('_', ' ')} the request: ${allowed.error}`,
      })
    }
    await append(site, tx, { request, act })
  })
}

function requireWords({ event, ground, said }: RequestAct): void {
  const missing = []
  if ((event === 'extend' || event === 'refuse' || event === 'doubt_identity') && said === undefined)
    missing.push({ field: 'said', expected: 'expected the reason, for the person to read' })
  if (event === 'refuse' && ground === undefined)
    missing.push({ field: 'ground', expected: 'expected the ground on which it is refused' })
  if (missing.length === 0) return
  throw new Fault('fault.request_malformed', {
    what: `Cannot ${event.replaceAll('_', ' ')} the request: say why`,
    errors: missing,
  })
}

async function append(
  { db, personKeys, random, clock, log }: SiteContext,
  tx: DatabaseTransaction,
  { request, act }: { request: Pick<StoredRequest, 'id' | 'person'>; act: RequestAct },
): Promise<void> {
  const { id, person } = request
  const { event, by, ground, said } = act
  const key: KeyObject | undefined = (await personKeys.keyOf(db, person))?.reveal()
  const subjectOf = await personKeys.subjectOf(tx, { person, text: `request ${id} ${event}` })
  const [receipt] = await log.issue(tx, [
    { kind: 'request', ...(subjectOf === undefined ? {} : { subjectOf }) },
  ])
  // Without a key the person was erased: what happens to their request is noted, what is said is not kept.
  const sealed =
    said === undefined || !key ? undefined : sealPersonText(said, { key, use: REQUEST_SAID, random })
  await insertEvent(tx, id, {
    event,
    at: clock.now(),
    by,
    ground,
    said: sealed,
    receipt: receipt?.sequence ?? 0,
  })
}
