import { sql } from 'kysely'
import type { Instant } from '../../kernel/clock.ts'
import type { Digest } from '../../kernel/digest.ts'
import { digestOfJson } from '../../kernel/digest.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import { readTogether } from '../../kernel/postgres/read-together.ts'
import type { GrantTerms } from '../../protocol/consent/grant.ts'
import type { GrantChange, KnownTerms, MirroredGrant } from './grant-mirror.ts'

/** A grant to be written. */
export interface NewGrant {
  readonly sequence: number
  readonly person: number
  readonly terms: number
  readonly from: number
  /** `Infinity` for no end. */
  readonly until: number
  readonly receipt: number
  /** Of a guardian's grant: the guardianship it stands on. */
  readonly guardianship?: string | undefined
}

/** Why a grant ended before its time. */
export type RevocationCause = 'withdrawn' | 'superseded' | 'guardianship_ended'

/** A grant of the record that was not revoked. */
export interface LiveGrant extends MirroredGrant {
  readonly sequence: number
}

/** The same with its terms. */
export type LiveGrantTerms = LiveGrant & {
  readonly grantTerms: GrantTerms
  readonly guardianship?: string
}

/** Locks the sequence until the transaction ends and gives its last number: changes commit in its order. */
export async function lockSequence(tx: DatabaseTransaction): Promise<number> {
  const { rows } = await sql<{ last: bigint }>`${KEPT} select last from consent_sequence for update`.execute(
    tx,
  )
  return Number(rows[0]?.last ?? 0)
}

export async function raiseSequence(tx: DatabaseTransaction, last: number): Promise<void> {
  await sql`update consent_sequence set last = ${last}`.execute(tx)
}

/** Terms in their one form: lists sorted and without repeats, so that equal terms have one digest. */
export function normalTerms(terms: GrantTerms): GrantTerms {
  const { columns, ...others } = terms
  return {
    ...others,
    purposes: [...new Set(terms.purposes)].toSorted(),
    modes: [...new Set(terms.modes)].toSorted(),
    ...(columns && { columns: [...new Set(columns)].toSorted() }),
  }
}

/** The ids of terms by digest; those that are new are written. */
export async function ensureTerms(
  tx: DatabaseTransaction,
  wanted: ReadonlyMap<Digest, GrantTerms>,
): Promise<ReadonlyMap<Digest, KnownTerms>> {
  const digests = [...wanted.keys()]
  const texts = [...wanted.values()].map((terms) => JSON.stringify(terms))
  const dataSets = [...wanted.values()].map(({ dataSet }) => dataSet)
  await sql`
    insert into consent_terms (digest, data_set, terms)
    select * from unnest(${digests}::text[], ${dataSets}::text[], ${texts}::jsonb[])
    on conflict (digest) do nothing`.execute(tx)
  const { rows } =
    await sql<TermsRow>`select * from consent_terms where digest = any(${digests}::text[])`.execute(tx)
  return new Map(rows.map((row) => [row.digest as Digest, { id: row.id, terms: row.terms }]))
}

export async function insertGrants(
  tx: DatabaseTransaction,
  grants: readonly NewGrant[],
  { now, by }: { now: Instant; by: string },
): Promise<void> {
  await sql`
    insert into consent_grant (sequence, person, terms, valid_from_ms, valid_until_ms, given_ms, given_by, receipt, guardianship)
    select sequence, person, terms, valid_from, valid_until, ${now}, ${by}, receipt, guardianship
    from unnest(${grants.map(({ sequence }) => sequence)}::bigint[], ${grants.map(({ person }) => person)}::integer[],
      ${grants.map(({ terms }) => terms)}::integer[], ${grants.map(({ from }) => from)}::bigint[],
      ${grants.map(({ until }) => (until === Infinity ? null : until))}::bigint[],
      ${grants.map(({ receipt }) => receipt)}::bigint[], ${grants.map(({ guardianship }) => guardianship ?? null)}::text[])
      as given (sequence, person, terms, valid_from, valid_until, receipt, guardianship)`.execute(tx)
}

export async function insertRevocations(
  tx: DatabaseTransaction,
  revocations: readonly { readonly sequence: number; readonly grant: number; readonly receipt: number }[],
  { now, by, cause }: { now: Instant; by: string; cause: RevocationCause },
): Promise<void> {
  await sql`
    ${KEPT} insert into consent_revocation (sequence, grant_sequence, revoked_ms, revoked_by, receipt, cause)
    select sequence, grant_sequence, ${now}::bigint, ${by}::text, receipt, ${cause}::text
    from unnest(${revocations.map(({ sequence }) => sequence)}::bigint[], ${revocations.map(({ grant }) => grant)}::bigint[],
      ${revocations.map(({ receipt }) => receipt)}::bigint[]) as revoked (sequence, grant_sequence, receipt)`.execute(
    tx,
  )
}

/**
 * Of the grants asked for, by position: which add nothing, because a live grant of the same terms lasts as long and, of a
 * guardian's, stands on the same guardianship.
 */
export async function coveredAlready(
  tx: DatabaseTransaction,
  asked: readonly Pick<NewGrant, 'person' | 'terms' | 'from' | 'until' | 'guardianship'>[],
): Promise<ReadonlySet<number>> {
  const { rows } = await sql<{ position: bigint }>`
    select asked.position from unnest(${asked.map(({ person }) => person)}::integer[],
      ${asked.map(({ terms }) => terms)}::integer[], ${asked.map(({ from }) => from)}::bigint[],
      ${asked.map(({ until }) => (until === Infinity ? null : until))}::bigint[],
      ${asked.map(({ guardianship }) => guardianship ?? null)}::text[])
      with ordinality as asked (person, terms, valid_from, valid_until, guardianship, position)
    where exists (
      select from consent_grant g
      where g.person = asked.person and g.terms = asked.terms and g.valid_from_ms <= asked.valid_from
        and (g.valid_until_ms is null or g.valid_until_ms >= asked.valid_until)
        and (asked.guardianship is null or g.guardianship = asked.guardianship)
        and not exists (select from consent_revocation r where r.grant_sequence = g.sequence))`.execute(tx)
  return new Set(rows.map(({ position }) => Number(position) - 1))
}

/** Grants of people that were not revoked, on one data set or on all, whether or not they hold now. */
export async function liveGrantsOf(
  tx: Database,
  { people, dataSet }: { people: readonly number[]; dataSet?: string },
): Promise<readonly LiveGrantTerms[]> {
  const { rows } = await sql<GrantRow & { wording: GrantTerms }>`
    ${KEPT} select g.*, t.terms as wording from consent_grant g join consent_terms t on t.id = g.terms
    where g.person = any(${people}::integer[]) and t.data_set = coalesce(${dataSet ?? null}::text, t.data_set)
      and not exists (select from consent_revocation r where r.grant_sequence = g.sequence)
    order by g.sequence`.execute(tx)
  return rows.map((row) => ({
    ...liveGrantOf(row),
    grantTerms: row.wording,
    ...(row.guardianship === null ? {} : { guardianship: row.guardianship }),
  }))
}

/** The same on one data set each, for whoever asks at the same time by one statement. */
export const liveGrantsNamed = readTogether(
  async (db, wanted: readonly { readonly people: readonly number[]; readonly dataSet: string }[]) => {
    const all = await liveGrantsOf(db, { people: [...new Set(wanted.flatMap(({ people }) => people))] })
    const byPerson = Map.groupBy(all, ({ person }) => person)
    return wanted.map(({ people, dataSet }) =>
      [...new Set(people)]
        .flatMap((person) => byPerson.get(person) ?? [])
        .filter(({ grantTerms }) => grantTerms.dataSet === dataSet)
        .toSorted((one, other) => one.sequence - other.sequence),
    )
  },
)

/** Grants by their numbers, as far as there are such that were not revoked. */
export async function liveGrantsBySequence(
  tx: DatabaseTransaction,
  sequences: readonly number[],
): Promise<readonly (LiveGrant & { readonly grantTerms: GrantTerms })[]> {
  const { rows } = await sql<GrantRow & { wording: GrantTerms }>`
    select g.*, t.terms as wording from consent_grant g join consent_terms t on t.id = g.terms
    where g.sequence = any(${sequences}::bigint[])
      and not exists (select from consent_revocation r where r.grant_sequence = g.sequence)
    order by g.sequence`.execute(tx)
  return rows.map((row) => ({ ...liveGrantOf(row), grantTerms: row.wording }))
}

/** How many grants are read at a time when a mirror is filled: some ten megabytes. */
const LOAD_PAGE = 50_000

/**
 * Everything that happened after a sequence, as changes for the mirror to apply in order, the last one with the
 * sequence that is then reached. Run it where the sequence cannot move: under its lock, or before anybody writes.
 */
export async function* changesAfter(db: Database, sequence: number): AsyncGenerator<GrantChange> {
  const { rows: last } = await sql<{ last: bigint }>`select last from consent_sequence`.execute(db)
  const reached = Number(last[0]?.last ?? 0)
  const { rows: terms } = await sql<TermsRow>`select * from consent_terms order by id`.execute(db)
  yield { sequence, newTerms: terms.map((row) => ({ id: row.id, terms: row.terms })), given: [], revoked: [] }
  for (let after = sequence; ;) {
    // A grant that was given and revoked since is left out here and below: nobody saw it. So is one of a guardian who was
    // never established: it was entered before guardians had to be, and authorises nothing.
    const { rows } = await sql<GrantRow>`
      select g.* from consent_grant g join consent_terms t on t.id = g.terms where g.sequence > ${after}
        and not exists (select from consent_revocation r where r.grant_sequence = g.sequence)
        and (g.guardianship is not null or t.terms->>'givenBy' is distinct from 'guardian')
      order by g.sequence limit ${LOAD_PAGE}`.execute(db)
    if (rows.length > 0) yield { sequence, newTerms: [], given: rows.map(liveGrantOf), revoked: [] }
    if (rows.length < LOAD_PAGE) break
    after = Number(rows.at(-1)?.sequence)
  }
  const { rows: revoked } = await sql<GrantRow & { revocation: bigint }>`
    select g.*, r.sequence as revocation from consent_revocation r join consent_grant g on g.sequence = r.grant_sequence
    where r.sequence > ${sequence} and g.sequence <= ${sequence} order by r.sequence`.execute(db)
  yield {
    sequence: reached,
    newTerms: [],
    given: [],
    revoked: revoked.map((row) => ({ ...liveGrantOf(row), sequence: Number(row.revocation) })),
  }
}

/** The digest of terms in their normal form. */
export function digestOfTerms(terms: GrantTerms): Digest {
  return digestOfJson(terms)
}

interface TermsRow {
  readonly id: number
  readonly digest: string
  readonly terms: GrantTerms
}

interface GrantRow {
  readonly sequence: bigint
  readonly person: number
  readonly terms: number
  readonly valid_from_ms: bigint
  readonly valid_until_ms: bigint | null
  readonly given_ms: bigint
  readonly guardianship: string | null
}

function liveGrantOf(row: GrantRow): LiveGrant {
  const from = Number(row.valid_from_ms)
  const until = row.valid_until_ms === null ? Infinity : Number(row.valid_until_ms)
  return {
    sequence: Number(row.sequence),
    person: row.person,
    terms: row.terms,
    from,
    until,
    isStanding: isStanding({ from, until, givenAt: Number(row.given_ms) }),
  }
}

/** Whether a grant has no end and held from the moment it was given. */
export function isStanding({
  from,
  until,
  givenAt,
}: {
  from: number
  until: number
  givenAt: number
}): boolean {
  return until === Infinity && from <= givenAt
}
