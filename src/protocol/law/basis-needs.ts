import type { BasisKind } from './basis-record.ts'
import type { Manifest } from '../data-set.ts'
import { isConsentBasis } from './legal-basis.ts'

/** What a legal basis asks for before anything stands on it: each person's grant, a record of a kind, or what no site can establish. */
export type BasisNeed = 'grant' | BasisKind | 'impossible'

const KINDS: Readonly<Record<string, BasisKind>> = {
  'eu-gdpr:A6-1-b': 'contract',
  'eu-gdpr:A6-1-c': 'legal_obligation',
  'eu-gdpr:A6-1-e': 'permit',
  'eu-gdpr:A6-1-f': 'legitimate_interest',
  'eu-gdpr:A9-2-b': 'employment',
  'eu-gdpr:A9-2-g': 'permit',
  'eu-gdpr:A9-2-h': 'permit',
  'eu-gdpr:A9-2-i': 'permit',
  'eu-gdpr:A9-2-j': 'permit',
}

/**
 * What a basis of Art. 6(1) or Art. 9(2) needs. Vital interests (6(1)(d), 9(2)(c)), members of a body (9(2)(d)), what people
 * made public (9(2)(e)) and legal claims (9(2)(f)) are about single cases: no record makes them a basis for asks over many.
 */
export function basisNeed(basis: string): BasisNeed {
  if (isConsentBasis(basis)) return 'grant'
  const article = /^eu-gdpr:A(6-1|9-2)-[a-j]/.exec(basis)?.[0]
  return (article === undefined ? undefined : KINDS[article]) ?? 'impossible'
}

/** The basis of Art. 9(2) of a data set; without one only explicit consent will do. */
export function specialBasisOf({ specialCategoryBasis }: Pick<Manifest, 'specialCategoryBasis'>): string {
  return specialCategoryBasis ?? 'eu-gdpr:A9-2-a'
}

/** A record that a use has to rest on, and the columns that it has to cover. */
export interface NeededRecord {
  readonly kind: BasisKind
  readonly columns: readonly string[]
}

/** What a use is, as far as its basis goes: its columns by sensitivity, and whether consent to it is presumed not to be free. */
export interface BasisUseShape {
  readonly ordinary: readonly string[]
  readonly special: readonly string[]
  readonly isUnfree: boolean
}

/**
 * The records that a use of a data set has to rest on, all of them; `impossible` when nothing can carry it.
 *
 * Special categories need the condition of Art. 9(2) besides, with a record of its own; a legitimate interest is no part of
 * that (Art. 9(1)), so it is looked at for the other columns only. Where consent is relied on and presumed not to be free, it
 * counts only together with the agreement or law on employment (Art. 88).
 */
export function neededRecords(
  manifest: Pick<Manifest, 'legalBasis' | 'specialCategoryBasis'>,
  { ordinary, special, isUnfree }: BasisUseShape,
): readonly NeededRecord[] | 'impossible' {
  const general = basisNeed(manifest.legalBasis)
  const condition = special.length === 0 ? undefined : basisNeed(specialBasisOf(manifest))
  if (general === 'impossible' || condition === 'impossible') return 'impossible'
  const all = [...ordinary, ...special]
  const needs: NeededRecord[] = []
  if (general === 'legitimate_interest') {
    if (ordinary.length > 0 || special.length === 0) needs.push({ kind: general, columns: ordinary })
  } else if (general !== 'grant') needs.push({ kind: general, columns: all })
  if (condition !== undefined && condition !== 'grant') needs.push({ kind: condition, columns: special })
  const restsOnConsent = general === 'grant' || condition === 'grant'
  if (restsOnConsent && isUnfree) needs.push({ kind: 'employment', columns: all })
  return needs
}

/** Kinds of records that may be of use for a data set. */
export function usefulKinds(
  manifest: Pick<Manifest, 'legalBasis' | 'specialCategoryBasis'>,
): readonly BasisKind[] {
  const needs = [basisNeed(manifest.legalBasis), basisNeed(specialBasisOf(manifest))]
  const kinds = needs.flatMap((need) => (need === 'grant' || need === 'impossible' ? [] : [need]))
  return [...new Set(needs.includes('grant') ? [...kinds, 'employment' as const] : kinds)]
}
