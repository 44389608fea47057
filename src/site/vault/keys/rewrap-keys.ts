import { createSecretKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { sql } from 'kysely'
import { Fault } from '../../../kernel/faults.ts'
import type { Database } from '../../../kernel/postgres/database.ts'
import type { Random } from '../../../kernel/random.ts'
import type { Secret } from '../../../kernel/secret.ts'
import { wrapContext } from './person-keys.ts'
import { nonceSource, open, seal } from './seal-cell.ts'

/** Keys in one statement: some milliseconds of work, and as much again when it is cut off. */
const KEYS_AT_ONCE = 10_000

/** From which wrapping key to which. */
export interface Rewrapping {
  readonly from: Secret<Uint8Array>
  readonly to: Secret<Uint8Array>
  readonly random: Random
  /** Told how many are done. */
  readonly onProgress?: ((keys: number) => void) | undefined
}

/**
 * Wraps every person's key anew, some at a time, each portion whole and durable. Keys that are wrapped anew already are
 * left as they are, so whoever is cut off does it again. Gives how many keys there are.
 *
 * @throws Fault `fault.key_malformed` when a key opens under neither
 */
export async function rewrapKeys(
  db: Database,
  { from, to, random, onProgress = () => undefined }: Rewrapping,
): Promise<number> {
  const [before, next] = [createSecretKey(from.reveal()), createSecretKey(to.reveal())]
  const nextNonce = nonceSource(random)
  let count = 0
  let writing = Promise.resolve()
  for await (const rows of portions(db)) {
    const changed = rows.flatMap((row) => rewrap(row, { before, next, nonce: nextNonce() }))
    // One portion is written while the next is wrapped.
    await writing
    writing = writeWrapped(db, changed)
    writing.catch(() => undefined)
    count += rows.length
    onProgress(count)
  }
  await writing
  return count
}

async function writeWrapped(db: Database, keys: readonly WrappedKey[]): Promise<void> {
  const [first, last] = [keys[0], keys.at(-1)]
  if (first === undefined || last === undefined) return
  // The range keeps it from reading the whole table for each portion, whatever the planner thinks of a list.
  await sql`
    update person_key as kept set wrapped = made.wrapped
    from unnest(${keys.map(({ person }) => person)}::integer[],
      ${keys.map(({ wrapped }) => wrapped)}::bytea[]) as made (person, wrapped)
    where kept.person = made.person and kept.person between ${first.person} and ${last.person}`.execute(db)
}

/** Refuses a wrapping key that is not the one of all people's keys, with the fault that is given. */
export async function requireKeysUnder(
  db: Database,
  wrappingKey: Secret<Uint8Array>,
  refusal: () => Fault,
): Promise<void> {
  const key = createSecretKey(wrappingKey.reveal())
  for await (const rows of portions(db)) {
    if (rows.every(({ person, wrapped }) => open(wrapped, { key, context: wrapContext(person) }))) continue
    throw refusal()
  }
}

async function* portions(db: Database): AsyncGenerator<readonly WrappedKey[]> {
  for (let after = -1; ;) {
    const { rows } = await sql<WrappedKey>`
      select person, wrapped from person_key where person > ${after}
      order by person limit ${KEYS_AT_ONCE}`.execute(db)
    const last = rows.at(-1)
    if (!last) return
    yield rows
    after = last.person
  }
}

interface WrappedKey {
  readonly person: number
  readonly wrapped: Buffer
}

/** Nothing, where it is wrapped under the next key already. */
function rewrap(
  { person, wrapped }: WrappedKey,
  { before, next, nonce }: { before: KeyObject; next: KeyObject; nonce: Uint8Array },
): readonly WrappedKey[] {
  const context = wrapContext(person)
  const key = open(wrapped, { key: before, context })
  if (key) {
    const made = Buffer.from(seal(key, { key: next, nonce, context }))
    key.fill(0)
    return [{ person, wrapped: made }]
  }
  if (open(wrapped, { key: next, context })) return []
  throw new Fault('fault.key_malformed', {
    what: 'Cannot wrap the key of a person anew: it is wrapped under another key than the site’s',
  })
}
