import { inflateSync } from 'node:zlib'
import { sql } from 'kysely'
import { Bitset } from '../../kernel/bitset.ts'
import { instant } from '../../kernel/clock.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import type { ReasonCode } from '../../protocol/reason.ts'
import type { AskId, DataSetId } from '../../protocol/wire.ts'
import { UseCache } from './use-cache.ts'
import type { KnownUse } from './use-cache.ts'

/** A use as one of its people finds it in their history. */
export interface FoundUse extends KnownUse {
  /** Which of the people that were looked for it is about. */
  readonly person: number
}

/** The uses of data of some people (one person under several numbers), newest first; `before` is the id of a use. */
export async function* usesOf(
  db: Database,
  {
    people,
    before,
    isWhole = false,
    cache = new UseCache(),
  }: {
    people: readonly number[]
    before?: bigint | undefined
    /** All are going to be read: then there is no short page first. */
    isWhole?: boolean | undefined
    cache?: UseCache | undefined
  },
): AsyncGenerator<FoundUse> {
  let last = before ?? null
  for (let limit = isWhole ? USE_PAGE : FIRST_PAGE; ; limit = USE_PAGE) {
    const ids = await useIds(db, { before: last, limit })
    for (let start = 0; start < ids.length; start += UNPACKED_AT_ONCE)
      for (const use of await usesNamed(db, { ids: ids.slice(start, start + UNPACKED_AT_ONCE), cache }))
        for (const person of people) if (use.people.has(person)) yield { ...use, person }
    last = ids.at(-1) ?? last
    if (ids.length < limit) return
  }
}

/** One page of a person's history and a little more; whoever reads on reads in longer ones. */
const FIRST_PAGE = 60
const USE_PAGE = 500

/** Uses whose people are read and unpacked at a time: bounds what is held beside the cache. */
const UNPACKED_AT_ONCE = 50

/**
 * Which uses there are, newest first. It is asked each time, and not only for those after the newest that is known: one with a lower
 * number may be committed later.
 */
async function useIds(
  db: Database,
  { before, limit }: { before: bigint | null; limit: number },
): Promise<readonly bigint[]> {
  const { rows } = await sql<{ ids: readonly string[] }>`
    ${KEPT} select array(select id from use_record
      where ${before}::bigint is null or id < ${before}::bigint order by id desc limit ${limit}) as ids`.execute(
    db,
  )
  return rows[0]?.ids.map(BigInt) ?? []
}

/** Uses by their ids, in that order: those that were not read before from the record. */
async function usesNamed(
  db: Database,
  { ids, cache }: { ids: readonly bigint[]; cache: UseCache },
): Promise<readonly KnownUse[]> {
  const known = new Map(ids.map((id) => [id, cache.get(id)]))
  const missing = ids.filter((id) => known.get(id) === undefined)
  if (missing.length > 0) for (const use of await readUses(db, missing)) known.set(use.id, cache.put(use))
  return [...known.values()].filter((use) => use !== undefined)
}

interface UseRow {
  readonly id: bigint
  readonly ask_id: string
  readonly data_set: string
  readonly acquirer: string
  readonly purpose: string
  readonly mode: string
  readonly columns: readonly string[]
  readonly reason: ReasonCode
  readonly receipt_sequence: bigint
  readonly release_to: string
  readonly time_ms: bigint
  readonly price_minor: bigint
  readonly subjects_minor: bigint
  readonly currency: string
  readonly people: Uint8Array
  readonly ask_digest: string
  readonly receipt_jws: string
}

async function readUses(db: Database, ids: readonly bigint[]): Promise<readonly KnownUse[]> {
  const { rows } = await sql<UseRow>`
    ${KEPT} select u.id, u.ask_id, u.data_set, u.acquirer, u.purpose, u.mode, u.columns, u.reason, u.receipt_sequence, u.release_to,
      u.time_ms, u.price_minor, u.subjects_minor, u.currency, u.people, a.ask_digest, r.jws as receipt_jws
    from use_record u
      join answer a on a.ask_id = u.ask_id
      join receipt r on r.sequence = u.receipt_sequence
    where u.id = any(${ids}::bigint[])`.execute(db)
  return rows.map(useOf)
}

function useOf(row: UseRow): KnownUse {
  const people = Bitset.fromBytes(inflateSync(row.people))
  return {
    id: row.id,
    askId: row.ask_id as AskId,
    dataSet: row.data_set as DataSetId,
    acquirer: row.acquirer,
    purpose: row.purpose,
    mode: row.mode,
    columns: row.columns,
    reason: row.reason,
    receiptSequence: Number(row.receipt_sequence),
    releaseTo: row.release_to,
    time: instant(Number(row.time_ms)),
    priceMinor: row.price_minor,
    subjectsMinor: row.subjects_minor,
    currency: row.currency,
    people,
    peopleCount: people.count(),
    askDigest: row.ask_digest as Digest,
    receiptJws: row.receipt_jws,
  }
}
