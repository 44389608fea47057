import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import { Bitset } from '../../kernel/bitset.ts'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import { basisFactsSchema } from '../../protocol/law/basis-record.ts'
import type { BasisFacts, basisRequestSchema } from '../../protocol/law/basis-record.ts'
import type { HeldBasis } from './bases-in-force.ts'
import type { z } from 'zod'

/** A record of a legal basis with its life. */
export interface StoredBasis {
  readonly id: string
  readonly facts: BasisFacts
  readonly recordedAt: Instant
  readonly recordedBy: string
  readonly end?: { readonly at: Instant; readonly reason: string } | undefined
  /** How many people are listed; absent: it covers everybody. */
  readonly listed?: number | undefined
}

export async function insertBasis(
  tx: DatabaseTransaction,
  basis: { id: string; sequence: number; facts: unknown; now: Instant; by: string },
): Promise<void> {
  await sql`
    insert into legal_basis (id, sequence, facts, recorded_ms, recorded_by)
    values (${basis.id}, ${basis.sequence}, ${JSON.stringify(basis.facts)}::jsonb, ${basis.now}, ${basis.by})`.execute(
    tx,
  )
}

export async function insertBasisEnd(
  tx: DatabaseTransaction,
  end: { basis: string; sequence: number; reason: string; now: Instant; by: string },
): Promise<void> {
  await sql`
    insert into legal_basis_end (basis, sequence, reason, ended_ms, ended_by)
    values (${end.basis}, ${end.sequence}, ${end.reason}, ${end.now}, ${end.by})`.execute(tx)
}

/** Notes that a record covers some people from now on, or no longer. */
export async function insertBasisPeople(
  tx: DatabaseTransaction,
  {
    basis,
    sequence,
    people,
    isCovered,
    now,
    by,
  }: {
    basis: string
    sequence: number
    people: readonly number[]
    isCovered: boolean
    now: Instant
    by: string
  },
): Promise<void> {
  if (people.length === 0) return
  await sql`
    insert into legal_basis_person (basis, person, sequence, is_covered, changed_ms, changed_by)
    select ${basis}, person, ${sequence}::bigint, ${isCovered}::boolean, ${now}::bigint, ${by}
    from unnest(${[...people]}::integer[]) as given (person)`.execute(tx)
}

/** Records by id, ended ones too: all, or some. How many people one lists is counted one by one. */
export async function readBases(db: Database, which: WhichBases = {}): Promise<readonly StoredBasis[]> {
  const counted = sql`
    select count(*) from (
      select distinct on (person) is_covered from legal_basis_person p where p.basis = b.id
      order by person, sequence desc) as last where is_covered`
  return (await readRows(db, { ...which, counted })).map(storedOf)
}

/** The same without that: what it costs does not grow with the people. */
export async function readBasesUncounted(
  db: Database,
  which: WhichBases = {},
): Promise<readonly UncountedBasis[]> {
  const rows = await readRows(db, { ...which, counted: sql`select 0` })
  return rows.map(storedOf).map(({ listed: _, ...basis }) => basis)
}

export type UncountedBasis = Omit<StoredBasis, 'listed'>

interface WhichBases {
  readonly ids?: readonly string[] | undefined
}

async function readRows(
  db: Database,
  { ids, counted }: WhichBases & { readonly counted: RawBuilder<unknown> },
): Promise<readonly BasisRow[]> {
  const { rows } = await sql<BasisRow>`
    ${KEPT} select b.*, e.ended_ms, e.reason, (${counted}) as listed
    from legal_basis b left join legal_basis_end e on e.basis = b.id
    where ${ids ?? null}::text[] is null or b.id = any(${ids ?? null}::text[])
    order by b.id`.execute(db)
  return rows
}

/** Everything that has not been ended, for a mirror that has seen nothing. */
export async function readHeldBases(db: Database): Promise<readonly HeldBasis[]> {
  const stored = (await readBases(db)).filter(({ end }) => end === undefined)
  const held: HeldBasis[] = []
  for (const { id, facts, listed } of stored) {
    held.push({ id, facts, ...(listed === undefined ? {} : { people: await coveredBy(db, id) }) })
  }
  return held
}

async function coveredBy(db: Database, basis: string): Promise<Bitset> {
  const { rows } = await sql<{ person: number }>`
    select person from (
      select distinct on (person) person, is_covered from legal_basis_person where basis = ${basis}
      order by person, sequence desc) as last
    where is_covered`.execute(db)
  return Bitset.of(rows.map(({ person }) => person))
}

/** Records that list one of some people now. */
export async function basesListing(db: Database, people: readonly number[]): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ basis: string }>`
    ${KEPT} select distinct basis from (
      select distinct on (basis, person) basis, is_covered from legal_basis_person
      where person = any(${[...people]}::integer[]) order by basis, person, sequence desc) as last
    where is_covered`.execute(db)
  return new Set(rows.map(({ basis }) => basis))
}

/** A record's facts in their wire form, as they are kept. */
export function wireFacts(
  facts: BasisFacts,
  time: (at: Instant) => string,
): Omit<z.input<typeof basisRequestSchema>, 'people'> {
  const { validFrom, validUntil, ...others } = facts
  return {
    ...others,
    ...(validFrom === undefined ? {} : { validFrom: time(validFrom) }),
    validUntil: time(validUntil),
  }
}

interface BasisRow {
  readonly id: string
  readonly facts: unknown
  readonly recorded_ms: bigint
  readonly recorded_by: string
  readonly ended_ms: bigint | null
  readonly reason: string | null
  readonly listed: bigint
}

function storedOf(row: BasisRow): StoredBasis {
  const facts: BasisFacts = basisFactsSchema.parse(row.facts)
  return {
    id: row.id,
    facts,
    recordedAt: instant(Number(row.recorded_ms)),
    recordedBy: row.recorded_by,
    ...(row.ended_ms === null
      ? {}
      : { end: { at: instant(Number(row.ended_ms)), reason: row.reason ?? '' } }),
    ...(facts.people === 'everybody' ? {} : { listed: Number(row.listed) }),
  }
}
