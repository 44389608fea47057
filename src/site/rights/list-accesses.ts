import type { KeyObject } from 'node:crypto'
import type { Instant } from '../../kernel/clock.ts'
import type { SiteContext } from '../site-context.ts'
import { openPersonText } from '../vault/keys/person-text.ts'
import { readAccesses } from './access-store.ts'
import { ACCESS_REASON } from './note-access.ts'
import type { KnownPerson } from './person-reading.ts'

/** A look at a person's data, with its reason in clear. */
export interface ListedAccess {
  readonly id: number
  readonly time: Instant
  readonly by: string
  readonly what: string
  readonly reason?: string | undefined
  readonly receipt: number
}

/** Who looked at a person's data by name, newest first. `before` is the id of one. */
export async function listAccesses(
  { db, personKeys }: Pick<SiteContext, 'db' | 'personKeys'>,
  {
    people,
    keys: known,
    before,
    limit,
  }: {
    people: readonly KnownPerson[]
    /** Their keys, where they are known already. */
    keys?: ReadonlyMap<number, KeyObject> | undefined
    before?: number | undefined
    limit: number
  },
): Promise<readonly ListedAccess[]> {
  const numbers = people.map(({ number }) => number)
  const keys = known ?? (await personKeys.keysOf(db, numbers))
  const stored = await readAccesses(db, { people: numbers, before, limit })
  return stored.map(({ id, person, time, by, what, reason, receipt }) => {
    const key = keys.get(person)
    const opened = reason && key ? openPersonText(reason, { key, use: ACCESS_REASON }) : undefined
    return { id, time, by, what, ...(opened === undefined ? {} : { reason: opened }), receipt }
  })
}
