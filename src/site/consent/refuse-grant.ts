import { sql } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { GrantTerms } from '../../protocol/consent/grant.ts'
import { changeGrants, malformed } from './change-grants.ts'
import type { ChangeFacts, ConsentContext } from './change-grants.ts'
import { issueFor } from './change-objections.ts'
import { noticeFact, termsProblems, toText } from './give-grants.ts'
import type { GrantsChanged } from './grant-calls.ts'
import { digestOfTerms, ensureTerms, liveGrantsOf, normalTerms } from './grant-store.ts'
import { peopleOf } from './people-of.ts'
import { writeRevocations } from './revoke-grants.ts'

/**
 * Notes that a person was asked for a grant and said no. It authorises nothing and needs no reason; a grant of the same
 * terms that is in force ends with it. What remains is the proof that refusing was possible (GDPR Art. 7(1), (4)).
 *
 * @throws Fault `fault.request_malformed` naming each field
 */
export async function refuseGrant(
  context: ConsentContext,
  { person: key, ...offered }: GrantTerms & { readonly person: string },
  facts: ChangeFacts,
): Promise<GrantsChanged> {
  const manifest = await context.findManifest(offered.dataSet)
  const terms = toText(normalTerms(offered), manifest)
  const problems = termsProblems(terms, manifest)
  const [person = -1] = await peopleOf(context, [{ dataSet: offered.dataSet, person: key }])
  const unknown = { field: 'person', expected: 'expected the key of a person in the data set' }
  if (problems.length > 0 || person < 0)
    throw malformed(person < 0 ? [...problems, unknown] : problems, 'the refusal')
  const digest = digestOfTerms(terms)
  return changeGrants(context, {
    body: { refuse: { ...offered, person: key } },
    facts,
    act: async (tx, { last, now }) => {
      const known = await ensureTerms(tx, new Map([[digest, terms]]))
      const id = known.get(digest)?.id
      if (id === undefined)
        throw new Fault('fault.internal', { what: 'The dictionary of terms lost an entry' })
      const live = await liveGrantsOf(tx, { people: [person], dataSet: terms.dataSet })
      const revoked = await writeRevocations(
        tx,
        live.filter((grant) => grant.terms === id),
        { context, last, now, by: facts.by },
      )
      const reached = last + revoked.length
      const receipts = await issueFor(tx, context, {
        people: [person],
        last: reached,
        kind: 'refusal',
        dataSet: terms.dataSet,
        facts: noticeFact(terms.notice),
      })
      const sequence = reached + 1
      await sql`
        insert into consent_refusal (sequence, person, terms, refused_ms, refused_by, receipt)
        values (${sequence}, ${person}, ${id}, ${now}, ${facts.by}, ${receipts[0] ?? 0})`.execute(tx)
      return {
        change: { sequence, newTerms: [...known.values()], given: [], revoked, refused: 1 },
        unchanged: 0,
      }
    },
  })
}

/** A refusal as its history tells it. */
export interface StoredRefusal {
  readonly person: number
  readonly terms: GrantTerms
  readonly refusedAt: Instant
  readonly refusedBy: string
  readonly receipt: number
}

/** What some people refused, in order. */
export async function refusalsOf(db: Database, people: readonly number[]): Promise<readonly StoredRefusal[]> {
  const { rows } = await sql<{
    person: number
    wording: GrantTerms
    refused_ms: bigint
    refused_by: string
    receipt: bigint
  }>`
    select r.person, t.terms as wording, r.refused_ms, r.refused_by, r.receipt
    from consent_refusal r join consent_terms t on t.id = r.terms
    where r.person = any(${people}::integer[]) order by r.sequence`.execute(db)
  return rows.map((row) => ({
    person: row.person,
    terms: row.wording,
    refusedAt: instant(Number(row.refused_ms)),
    refusedBy: row.refused_by,
    receipt: Number(row.receipt),
  }))
}
