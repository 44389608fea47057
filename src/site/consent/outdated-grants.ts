import { sql } from 'kysely'
import { Bitset } from '../../kernel/bitset.ts'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { consentTextDigest } from '../../protocol/consent/consent-text.ts'
import type { GrantTerms } from '../../protocol/consent/grant.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { GrantMirror } from './grant-mirror.ts'

/** Terms that were granted to a text which no longer stands, and who is to be asked again. */
export interface OutdatedTerms {
  readonly terms: GrantTerms
  /** The text that stands in its place. */
  readonly standing: Digest
  readonly people: Bitset
}

/** Somebody who was asked anew and said no: `person` by number. */
export interface RefusedAnew {
  readonly person: number
  readonly terms: GrantTerms
}

/**
 * Whose grants on a data set authorise nothing because its text has changed, among grants in their time (EDPB Guidelines 05/2020,
 * 110: what was not told then is not consented to). Who has answered since, by a grant or a refusal to the same grantee on the
 * text as it stands, is not to be asked a second time. Pure.
 */
export function outdatedGrants(
  mirror: Pick<GrantMirror, 'termsOf' | 'collect'>,
  { manifest, refused, now }: { manifest: Manifest; refused: readonly RefusedAnew[]; now: Instant },
): readonly OutdatedTerms[] {
  const answered = new Map<string, Bitset>()
  const answeredBy = (terms: GrantTerms): Bitset => {
    const name = nameOf(terms)
    const people = answered.get(name) ?? new Bitset()
    answered.set(name, people)
    return people
  }
  const stands = (terms: GrantTerms) => terms.notice === consentTextDigest(manifest, terms.columns)
  const known = mirror.termsOf(manifest.dataSet)
  for (const { id, terms } of known) if (stands(terms)) mirror.collect(id, { into: answeredBy(terms), now })
  for (const { person, terms } of refused) if (stands(terms)) answeredBy(terms).add(person)
  return known.flatMap(({ id, terms }) => {
    // Grants from before texts were kept go on: they were given to the text of their day.
    if (terms.notice === undefined || stands(terms)) return []
    const holding = new Bitset()
    mirror.collect(id, { into: holding, now })
    const people = holding.difference(answeredBy(terms))
    return people.count() === 0
      ? []
      : [{ terms, standing: consentTextDigest(manifest, terms.columns), people }]
  })
}

/** Every refusal of terms on a data set. */
export async function refusalsOn(db: Database, dataSet: DataSetId): Promise<readonly RefusedAnew[]> {
  const { rows } = await sql<{ person: number; terms: GrantTerms }>`
    select r.person, t.terms from consent_refusal r join consent_terms t on t.id = r.terms
    where t.data_set = ${dataSet}`.execute(db)
  return rows
}

/** What one answer is to: whom it allows or refuses, in whose voice. */
function nameOf({ grantee, givenBy }: GrantTerms): string {
  return canonicalJson({ grantee, givenBy })
}
