import { createSecretKey, hkdfSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { sql } from 'kysely'
import { digestOf, hmacSha256 } from '../../../kernel/digest.ts'
import type { Digest } from '../../../kernel/digest.ts'
import { Fault } from '../../../kernel/faults.ts'
import { inTurns } from '../../../kernel/in-turns.ts'
import type { Database } from '../../../kernel/postgres/database.ts'
import { KEPT } from '../../../kernel/postgres/kept-statements.ts'
import type { Random } from '../../../kernel/random.ts'
import { Secret } from '../../../kernel/secret.ts'
import { nonceSource, open, seal } from './seal-cell.ts'
import { readWrappedKeys } from './wrapped-keys.ts'

/** Keys that are unwrapped at one time; an import works through its people in such portions. */
const KEYS_AT_ONCE = 10_000

const KEY_BYTES = 32

/** Nonce, key and tag. */
const WRAPPED_BYTES = 12 + KEY_BYTES + 16

/** Labels that keep the uses of one key apart (HKDF `info`, RFC 5869 §3.2). */
const SUBJECT_LABEL = 'hedgerow/person/subject-of'
const MARK_LABEL = 'hedgerow/person/key-mark'

/**
 * Keys of people: 256 random bits each, wrapped under the site's wrapping key and kept in the record, nowhere else.
 * Destroying one makes all that it sealed unreadable, in copies as well (GDPR Art. 17; security model, Keys).
 */
export interface PersonKeys {
  /** Makes the keys that are missing, and gives all of them in the order asked for. Those of people who were erased are kept nowhere. */
  ensureKeys(db: Database, people: readonly number[]): Promise<KeySource>
  /** The key of a person; `undefined` when it never was or was destroyed. */
  keyOf(db: Database, person: number): Promise<Secret<KeyObject> | undefined>
  /** The keys of many people; those without one are not in it. */
  keysOf(db: Database, people: readonly number[]): Promise<ReadonlyMap<number, KeyObject>>
  /** Erases people's keys; gives the marks, by which copies of them are known, of those that there were. */
  destroyKeys(db: Database, people: readonly number[]): Promise<ReadonlyMap<number, Digest>>
  /** The marks of people's keys; those without one are not in it. */
  marksOf(db: Database, people: readonly number[]): Promise<ReadonlyMap<number, Digest>>
  /** Whose keys have one of these marks. */
  findByMarks(db: Database, marks: ReadonlySet<Digest>): Promise<ReadonlyMap<Digest, number>>
  /** What a receipt about a person carries: only who has that person's key can tell whom it is about. */
  subjectOf(db: Database, { person, text }: { person: number; text: string }): Promise<Digest | undefined>
  /** That, and the mark of the key, of each in order; of whoever has none nothing. */
  knownBy(
    db: Database,
    subjects: readonly { readonly person: number; readonly text: string }[],
  ): Promise<readonly ({ readonly subjectOf: Digest; readonly mark: Digest } | undefined)[]>
  /** The same for many at once, in order; whoever has no key is a `Fault`, because receipts about nobody are none. */
  subjectsOf(
    db: Database,
    subjects: readonly { readonly person: number; readonly text: string }[],
  ): Promise<readonly Digest[]>
}

/** Keys of people by their place in a list. Each is unwrapped when it is first used, so that asking for many costs little. */
export interface KeySource {
  readonly count: number
  keyAt(index: number): Uint8Array
}

/** Where a sealed value belongs; it opens nowhere else. */
export interface CellPlace {
  readonly dataSet: string
  readonly column: string
}

/** What AES-GCM authenticates along with a value: data set and column. */
export function cellContext({ dataSet, column }: CellPlace): Uint8Array {
  return Buffer.from(`hedgerow/cell\0${dataSet}\0${column}`)
}

/** Opens the text that a sealed cell holds; `undefined` when it is not of this person and place. */
export function openCell(
  sealed: Uint8Array,
  { key, place }: { key: KeyObject; place: CellPlace },
): string | undefined {
  const body = open(sealed, { key, context: cellContext(place) })
  return body && Buffer.from(body).toString('utf8')
}

/** The keys of people of one site. */
export function personKeys({
  wrappingKey,
  random,
}: {
  wrappingKey: Secret<Uint8Array>
  random: Random
}): PersonKeys {
  const wrapping = createSecretKey(wrappingKey.reveal())
  const nextNonce = nonceSource(random)
  const wrap = (person: number, key: Uint8Array) =>
    Buffer.from(seal(key, { key: wrapping, nonce: nextNonce(), context: wrapContext(person) }))
  const unwrap: Unwrap = (person, wrapped) => {
    const key = open(wrapped, { key: wrapping, context: wrapContext(person) })
    if (key) return key
    throw new Fault('fault.key_malformed', {
      what: 'Cannot unwrap the key of a person: it is wrapped under another key',
    })
  }
  const keysOf = async (db: Database, people: readonly number[]): Promise<ReadonlyMap<number, KeyObject>> => {
    const keys = new Map<number, KeyObject>()
    for (const portion of portions(people)) {
      const wrapped = await readWrappedKeys(db, portion)
      await inTurns([...wrapped], ([person, bytes]) =>
        keys.set(person, createSecretKey(unwrap(person, bytes))),
      )
    }
    return keys
  }
  return {
    keysOf,
    keyOf: async (db, person) => {
      const key = (await keysOf(db, [person])).get(person)
      return key && new Secret(key)
    },
    ensureKeys: async (db, people) => {
      const keys = new LazyKeys(people, unwrap)
      let start = 0
      for (const portion of portions(people)) {
        const known = await readWrappedKeys(db, portion)
        const missing = [...new Set(portion)].filter((person) => !known.has(person))
        const fresh = random.bytes(missing.length * KEY_BYTES)
        const made = new Map(
          missing.map((person, index) => [
            person,
            fresh.subarray(index * KEY_BYTES, (index + 1) * KEY_BYTES),
          ]),
        )
        const sealed = await inTurns([...made], ([person, key]) => [person, wrap(person, key)] as const)
        await insertWrapped(db, new Map(sealed))
        for (const [index, person] of portion.entries())
          keys.put(start + index, { open: made.get(person), wrapped: known.get(person) })
        start += portion.length
      }
      return keys
    },
    destroyKeys: async (db, people) => {
      const { rows } = await sql<{ person: number; wrapped: Uint8Array }>`
        ${KEPT} delete from person_key where person = any(${people}::integer[]) returning person, wrapped`.execute(
        db,
      )
      return new Map(rows.map(({ person, wrapped }) => [person, markOf(unwrap(person, wrapped))]))
    },
    marksOf: async (db, people) => {
      const keys = await keysOf(db, people)
      return new Map([...keys].map(([person, key]) => [person, markOf(key)]))
    },
    findByMarks: (db, marks) => findByMarks(db, { marks, unwrap }),
    ...subjects(keysOf),
  }
}

type KeysOf = PersonKeys['keysOf']
type Unwrap = (person: number, wrapped: Uint8Array) => Uint8Array

function subjects(keysOf: KeysOf): Pick<PersonKeys, 'subjectOf' | 'subjectsOf' | 'knownBy'> {
  return {
    subjectOf: async (db, { person, text }) => {
      const key = (await keysOf(db, [person])).get(person)
      return key && subjectUnder(key, text)
    },
    knownBy: async (db, wanted) => {
      const keys = await keysOf(db, [...new Set(wanted.map(({ person }) => person))])
      return wanted.map(({ person, text }) => {
        const key = keys.get(person)
        return key && { subjectOf: subjectUnder(key, text), mark: markOf(key) }
      })
    },
    subjectsOf: async (db, wanted) => {
      const keys = await keysOf(db, [...new Set(wanted.map(({ person }) => person))])
      return wanted.map(({ person, text }) => {
        const key = keys.get(person)
        if (key) return subjectUnder(key, text)
        throw new Fault('fault.key_missing', { what: 'Cannot write a receipt: a person has no key' })
      })
    },
  }
}

/**
 * What a receipt about the person of a key carries: HMAC under a key derived from theirs, so that receipts tell nothing
 * of the key that seals rows.
 */
export function subjectUnder(key: KeyObject, text: string): Digest {
  const derived = new Uint8Array(hkdfSync('sha256', key, new Uint8Array(), SUBJECT_LABEL, 32))
  return `sha-256:${Buffer.from(hmacSha256(derived, text)).toString('hex')}`
}

/**
 * What a key is known by where the key itself may not be: in the list of erased people and beside what was taken back. It
 * is made with the key alone (HKDF, RFC 5869), so it is the same however the key is wrapped, in every backup that has
 * the key, and tells nothing of it, of the person, or of what else is made with it to anybody who has not got the key.
 */
function markOf(key: KeyObject | Uint8Array): Digest {
  const mark = new Uint8Array(hkdfSync('sha256', key, new Uint8Array(), MARK_LABEL, 32))
  return `sha-256:${Buffer.from(mark).toString('hex')}`
}

/**
 * Goes through everybody's key, some at a time, and stops when all are found. Before keys had marks, lines named the
 * digest of the wrapped form; a backup from before that still has just that form.
 */
async function findByMarks(
  db: Database,
  { marks, unwrap }: { marks: ReadonlySet<Digest>; unwrap: Unwrap },
): Promise<ReadonlyMap<Digest, number>> {
  const found = new Map<Digest, number>()
  for (let after = -1; found.size < marks.size;) {
    const { rows } = await sql<{ person: number; wrapped: Uint8Array }>`
      select person, wrapped from person_key where person > ${after}
      order by person limit ${KEYS_AT_ONCE}`.execute(db)
    for (const { person, wrapped } of rows) {
      for (const mark of [markOf(unwrap(person, wrapped)), digestOf(wrapped)])
        if (marks.has(mark)) found.set(mark, person)
    }
    const last = rows.at(-1)
    if (!last) break
    after = last.person
  }
  return found
}

/** Keeps new keys, but of whoever was erased since they were numbered: what is sealed for them is under a key that nobody has. */
async function insertWrapped(db: Database, wrapped: ReadonlyMap<number, Buffer>): Promise<void> {
  if (wrapped.size === 0) return
  const { rows } = await sql<{ kept: number; erased: number }>`
    ${KEPT} with given as materialized (
      select person, wrapped, exists (select from erasure e where e.person = g.person) as is_erased
      from unnest(${[...wrapped.keys()]}::integer[], ${[...wrapped.values()]}::bytea[]) as g (person, wrapped)),
    kept as (
      insert into person_key (person, wrapped) select person, wrapped from given where not is_erased
      on conflict (person) do nothing returning person)
    select (select count(*)::int from kept) as kept, (select count(*)::int from given where is_erased) as erased`.execute(
    db,
  )
  const { kept = 0, erased = 0 } = rows[0] ?? {}
  // Somebody else made a key for one of them meanwhile: what was made here must not be used.
  if (kept + erased !== wrapped.size) {
    throw new Fault('fault.unavailable', {
      what: 'Cannot make keys of people: others are being made at the same time',
    })
  }
}

/** Keys side by side, opened as they are needed. */
class LazyKeys implements KeySource {
  readonly #people: readonly number[]
  readonly #unwrap: Unwrap
  readonly #keys: Uint8Array
  readonly #wrapped: Uint8Array
  readonly #isOpen: Uint8Array

  constructor(people: readonly number[], unwrap: Unwrap) {
    this.#people = people
    this.#unwrap = unwrap
    this.#keys = new Uint8Array(people.length * KEY_BYTES)
    this.#wrapped = new Uint8Array(people.length * WRAPPED_BYTES)
    this.#isOpen = new Uint8Array(people.length)
  }

  get count(): number {
    return this.#people.length
  }

  put(
    index: number,
    { open: key, wrapped }: { open: Uint8Array | undefined; wrapped: Uint8Array | undefined },
  ): void {
    if (key) this.#keys.set(key, index * KEY_BYTES)
    else if (wrapped) this.#wrapped.set(wrapped, index * WRAPPED_BYTES)
    this.#isOpen[index] = key ? 1 : 0
  }

  keyAt(index: number): Uint8Array {
    const key = this.#keys.subarray(index * KEY_BYTES, (index + 1) * KEY_BYTES)
    if (this.#isOpen[index] === 1) return key
    const wrapped = this.#wrapped.subarray(index * WRAPPED_BYTES, (index + 1) * WRAPPED_BYTES)
    key.set(this.#unwrap(this.#people[index] ?? -1, wrapped))
    this.#isOpen[index] = 1
    return key
  }
}

/** What AES-GCM authenticates along with a wrapped key: whose it is. */
export function wrapContext(person: number): Uint8Array {
  return Buffer.from(`hedgerow/person-key\0${person}`)
}

function* portions(people: readonly number[]): Generator<readonly number[]> {
  for (let start = 0; start < people.length; start += KEYS_AT_ONCE)
    yield people.slice(start, start + KEYS_AT_ONCE)
}
