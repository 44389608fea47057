import type { AcquirerClass } from '../member.ts'
import { isPurposeWithin } from './purpose.ts'

/**
 * Legal bases: terms of the DPV extension for the GDPR (`eu-gdpr:A6-1-a`; https://w3id.org/dpv/legal/eu/gdpr, 2.2,
 * modules `legal_basis` and `legal_basis_special`). W3C Software and Document licence.
 */

/** Bases of GDPR Art. 6(1) with the term directly above, where there is one. */
const ORDINARY_BASES: Readonly<Record<string, string | undefined>> = {
  'eu-gdpr:A6-1-a': undefined,
  'eu-gdpr:A6-1-a-explicit-consent': 'eu-gdpr:A6-1-a',
  'eu-gdpr:A6-1-a-non-explicit-consent': 'eu-gdpr:A6-1-a',
  'eu-gdpr:A6-1-b': undefined,
  'eu-gdpr:A6-1-b-contract-performance': 'eu-gdpr:A6-1-b',
  'eu-gdpr:A6-1-b-enter-into-contract': 'eu-gdpr:A6-1-b',
  'eu-gdpr:A6-1-c': undefined,
  'eu-gdpr:A6-1-d': undefined,
  'eu-gdpr:A6-1-d-data-subject': 'eu-gdpr:A6-1-d',
  'eu-gdpr:A6-1-d-natural-person': 'eu-gdpr:A6-1-d',
  'eu-gdpr:A6-1-e': undefined,
  'eu-gdpr:A6-1-e-official-authority': 'eu-gdpr:A6-1-e',
  'eu-gdpr:A6-1-e-public-interest': 'eu-gdpr:A6-1-e',
  'eu-gdpr:A6-1-f': undefined,
  'eu-gdpr:A6-1-f-controller': 'eu-gdpr:A6-1-f',
  'eu-gdpr:A6-1-f-third-party': 'eu-gdpr:A6-1-f',
}

/** Bases of GDPR Art. 9(2), for special categories: `eu-gdpr:A9-2-a` (explicit consent) to `-j`. */
const SPECIAL_BASES: ReadonlySet<string> = new Set(
  'a b c d e f g h i j'.split(' ').map((letter) => `eu-gdpr:A9-2-${letter}`),
)

/** The bases that a manifest names: what `isLegalBasisFitting` and the eligibility of people go by. */
export interface OfferedBases {
  readonly legalBasis: string
  readonly specialCategoryBasis?: string | undefined
}

/**
 * Whether the basis an asker names is one on which the data set is offered: the same term of Art. 6(1), one narrower
 * or one broader (of one letter, and not a contradiction such as explicit against non-explicit consent), or exactly
 * the basis of Art. 9(2) that the manifest names. An unknown term fits nothing.
 */
export function isLegalBasisFitting(asked: string, offered: OfferedBases): boolean {
  if (SPECIAL_BASES.has(asked)) {
    return offered.specialCategoryBasis === asked && Object.hasOwn(ORDINARY_BASES, offered.legalBasis)
  }
  if (!Object.hasOwn(ORDINARY_BASES, asked) || !Object.hasOwn(ORDINARY_BASES, offered.legalBasis))
    return false
  if (asked === offered.legalBasis) return true
  return ORDINARY_BASES[asked] === offered.legalBasis || ORDINARY_BASES[offered.legalBasis] === asked
}

/** Whether a basis rests on consent, so that each person's own grant decides (GDPR Art. 6(1)(a), Art. 9(2)(a)). */
export function isConsentBasis(basis: string): boolean {
  return (
    basis === 'eu-gdpr:A9-2-a' || basis === 'eu-gdpr:A6-1-a' || ORDINARY_BASES[basis] === 'eu-gdpr:A6-1-a'
  )
}

/** Whether a basis asks for explicit consent. */
export function isExplicitConsentBasis(basis: string): boolean {
  return basis === 'eu-gdpr:A6-1-a-explicit-consent' || basis === 'eu-gdpr:A9-2-a'
}

/** Categories of data subjects who stand under the controller that placed their data: it employs them, or may. */
const SUBORDINATE_SUBJECTS: ReadonlySet<string> = new Set(['dpv:Employee', 'dpv:JobApplicant'])

/**
 * Whether people stand under the asker as employees do, so that their consent is presumed not to be free and another
 * basis is needed (GDPR Art. 7(4), recital 43; EDPB Guidelines 05/2020, 21): an employer asks, or anybody for the
 * management of staff, or anybody to whom their own employer offers their data.
 */
export function isConsentPresumedUnfree({
  purpose,
  acquirerClass,
  subjects,
}: {
  purpose: string
  acquirerClass?: AcquirerClass | undefined
  /** What the people of the data set are to its issuer. */
  subjects?: string | undefined
}): boolean {
  return (
    acquirerClass === 'employer' ||
    isPurposeWithin(purpose, 'dpv:HumanResourceManagement') ||
    (subjects !== undefined && SUBORDINATE_SUBJECTS.has(subjects))
  )
}
