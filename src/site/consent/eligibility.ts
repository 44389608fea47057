import { Bitset } from '../../kernel/bitset.ts'
import { formatDate } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { digestOf } from '../../kernel/digest.ts'
import { ok } from '../../kernel/result.ts'
import { consentTextDigest } from '../../protocol/consent/consent-text.ts'
import { minimumGroupOf } from '../../protocol/data-set.ts'
import type { Column, Manifest } from '../../protocol/data-set.ts'
import {
  isConsentBasis,
  isConsentPresumedUnfree,
  isExplicitConsentBasis,
} from '../../protocol/law/legal-basis.ts'
import type { AcquirerClass } from '../../protocol/member.ts'
import type { Mode } from '../../protocol/mode.ts'
import { isPurposeRefused, isPurposeRefusedForMinors } from '../../protocol/law/purpose.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { Principals } from '../vault/vault.ts'
import type { EligibilityCache } from './eligibility-cache.ts'
import { specialBasisOf } from '../../protocol/law/basis-needs.ts'
import type { BasisUseShape } from '../../protocol/law/basis-needs.ts'
import { decideBasis } from './decide-basis.ts'
import type { AssessedInterest, BasisCover } from './decide-basis.ts'
import { collectGranted } from './collect-granted.ts'
import type { TermsUse } from './decide-terms.ts'
import type { GrantMirror } from './grant-mirror.ts'

/** A use of one data set, as far as people's grants have a say in it. */
export interface Use {
  readonly acquirer: string
  readonly acquirerClass?: AcquirerClass | undefined
  readonly purpose: string
  /** As the asker names it. */
  readonly legalBasis: string
  readonly mode: Mode
  /** What the subjects' side earns for each person, in minor units of the tariff's currency. */
  readonly subjectsPriceMinor: number
  /** Fewer eligible people than this are nobody. */
  readonly minimumGroup: number
  readonly now: Instant
}

/** What is known of people at the moment of deciding. */
export interface EligibilityContext {
  readonly mirror: GrantMirror
  readonly cache: EligibilityCache
  /** Country of the site, whose law on ages counts beside that of the residence. */
  readonly siteCountry: string
  /** Birth dates and residences; another object whenever they change. */
  readonly principals: Principals
  /** Everybody with a row in the data set. */
  readonly people: Bitset
  /** Whose processing is restricted or who objected (GDPR Art. 18, 21): left out whatever they granted. */
  readonly restricted: (dataSet: DataSetId) => Bitset
  /** Whether an assessment of an interest carries a use today (GDPR Art. 6(1)(f)). */
  readonly isAssessed: AssessedInterest
}

/** Who may be used for an ask. */
export interface Eligibility {
  /** People whose grants cover every column that was asked for, now; from the plan of an ask on, the numbers of rows that may be used. */
  readonly eligible: Bitset
  /** Whether those are at least the minimum group. If not, ask again with only `coveredColumns`. */
  readonly isEnough: boolean
  /** The columns that, each for itself, at least the minimum group granted. All of them when there are enough people. */
  readonly coveredColumns: readonly string[]
  /** People who are left out for their price only. Never to be counted to the asker below the minimum group. */
  readonly excludedByPrice: Bitset
  /** Records of legal bases that the use rests on, by id; none where it rests on grants alone. */
  readonly bases: readonly string[]
  /** The consent sequence that this saw: for `GrantMirror.revokedSince` before the release. */
  readonly sequence: number
  /** A name of the set: equal sets, equal names. */
  readonly digest: string
}

/**
 * Decides who is eligible for a use of columns of a data set. Fails closed: no grant, no use. Where the data stands on
 * another basis than consent it is whom the record of that basis covers, but those who are restricted or objected; special
 * categories then still need their own basis of Art. 9(2), and rows somebody who said yes to rows.
 *
 * Declines with `declined.purpose` (refused to all; consent where it is presumed not free), `declined.mode`,
 * `declined.legal_basis` (no record in force carries it), `declined.restricted` (too few because of restrictions of many) and `declined.nobody_eligible` (too few, and no narrower set of columns would help).
 */
export function decideEligibility(
  context: EligibilityContext,
  use: Use,
  { manifest, columns }: { manifest: Manifest; columns: readonly string[] },
): Outcome<Eligibility> {
  if (isPurposeRefused(use.purpose))
    return declined('declined.purpose', { operatorNote: 'the purpose is refused to all' })
  if (!manifest.modes.includes(use.mode)) return declined('declined.mode')
  const asked = [...new Set(columns)].toSorted()
  const basis = basisCover(context, { use, manifest, columns: asked })
  if (!basis && isConsentBasis(manifest.legalBasis) && isUnfree(use, manifest)) {
    return declined('declined.purpose', {
      detail:
        'Consent alone is not a basis for this purpose or acquirer, and no agreement on employment is recorded',
      operatorNote: 'consent to an employer is presumed not to be free (EDPB Guidelines 05/2020)',
    })
  }
  const cohort = cohortOf(context, use, manifest)
  const { covered, excludedByPrice, excludedByRestriction } = cohort.covering(asked)
  const isEnough = covered.count() >= Math.max(1, use.minimumGroup)
  const coveredColumns = isEnough ? asked : asked.filter((column) => cohort.isColumnCovered(column))
  if (!isEnough && (coveredColumns.length === 0 || coveredColumns.length === asked.length)) {
    if (!basis) return declined('declined.legal_basis')
    return declined(
      isRestriction(excludedByRestriction, { covered, use, manifest })
        ? 'declined.restricted'
        : 'declined.nobody_eligible',
    )
  }
  const { sequence } = context.mirror
  return ok({
    eligible: covered,
    isEnough,
    coveredColumns,
    excludedByPrice,
    bases: basis?.bases ?? [],
    sequence,
    digest: digestOf(covered.toBytes()),
  })
}

/**
 * Whether it is restrictions that leave too few people, and so many of them that saying so is about nobody: the reason
 * must not tell an acquirer who was granted little that a certain person's processing is restricted.
 */
function isRestriction(
  restricted: Bitset,
  { covered, use, manifest }: { covered: Bitset; use: Use; manifest: Manifest },
): boolean {
  const count = restricted.count()
  return count >= minimumGroupOf(manifest, true) && covered.count() + count >= use.minimumGroup
}

interface Cohort {
  covering(columns: readonly string[]): {
    readonly covered: Bitset
    readonly excludedByPrice: Bitset
    readonly excludedByRestriction: Bitset
  }
  isColumnCovered(column: string): boolean
}

function cohortOf(context: EligibilityContext, use: Use, manifest: Manifest): Cohort {
  const restricted = context.restricted(manifest.dataSet)
  const objected = context.mirror.objectors(manifest.dataSet, use.purpose)
  const covering = (columns: readonly string[]) => {
    const { covered, excludedByPrice } = coveringPeople(context, { use, manifest, columns })
    return {
      covered: covered.difference(restricted).difference(objected),
      excludedByPrice: excludedByPrice.difference(restricted).difference(objected),
      excludedByRestriction: covered.intersection(restricted),
    }
  }
  return {
    covering,
    isColumnCovered: (column) => covering([column]).covered.count() >= Math.max(1, use.minimumGroup),
  }
}

interface ColumnsUse {
  readonly use: Use
  readonly manifest: Manifest
  readonly columns: readonly string[]
}

/** The people behind a use of columns, from the cache where nothing has happened since. */
function coveringPeople(
  context: EligibilityContext,
  asked: ColumnsUse,
): { covered: Bitset; excludedByPrice: Bitset } {
  const { use, manifest, columns } = asked
  const found = columns.map((name) => manifest.columns.find((column) => column.name === name))
  if (!found.every((column) => column !== undefined && isUsable(column))) {
    return { covered: new Bitset(), excludedByPrice: new Bitset() }
  }
  const { ageOn, ageAtLeast } = manifest.person
  const ages = context.cache.ageGroups(context.principals, {
    siteCountry: context.siteCountry,
    today: formatDate(use.now),
    ageOn,
    ageAtLeast,
  })
  const usesSpecial = found.some((column) => column?.sensitivity === 'special_category')
  const basis = basisCover(context, asked)
  if (!basis) return { covered: new Bitset(), excludedByPrice: new Bitset() }
  const within = (people: Bitset) => {
    const based = basis.people ? people.intersection(basis.people) : people
    const here = based.intersection(context.people)
    return isPurposeRefusedForMinors(use.purpose) ? here.intersection(ages.adults) : here
  }
  if (!needsGrants(asked, usesSpecial))
    return { covered: within(context.people), excludedByPrice: new Bitset() }
  const needsExplicit =
    isExplicitConsentBasis(manifest.legalBasis) ||
    isExplicitConsentBasis(use.legalBasis) ||
    (usesSpecial && isConsentBasis(specialBasisOf(manifest)))
  const textDigest: TermsUse['textDigest'] = (ofColumns) => consentTextDigest(manifest, ofColumns)
  const termsUse: TermsUse = { ...use, columns, needsExplicit, textDigest }
  const { atAnyPrice, atThisPrice } = context.cache.granted(context.mirror, {
    key: JSON.stringify([
      manifest.dataSet,
      use.acquirer,
      use.acquirerClass,
      use.purpose,
      use.mode,
      use.subjectsPriceMinor,
      needsExplicit,
      textDigest(undefined),
      columns,
    ]),
    now: use.now,
    ages,
    collect: () =>
      collectGranted(context.mirror, { dataSet: manifest.dataSet, termsUse, now: use.now, ages }),
  })
  const covered = within(atThisPrice)
  return {
    covered,
    excludedByPrice: atAnyPrice === atThisPrice ? new Bitset() : within(atAnyPrice).difference(covered),
  }
}

/** Whom the records cover that a use of columns has to rest on; `undefined` when one is missing. */
function basisCover(
  { mirror, isAssessed }: EligibilityContext,
  { use, manifest, columns }: ColumnsUse,
): BasisCover | undefined {
  const isSpecial = (name: string) =>
    manifest.columns.some((column) => column.name === name && column.sensitivity === 'special_category')
  const shape: BasisUseShape = {
    ordinary: columns.filter((name) => !isSpecial(name)),
    special: columns.filter(isSpecial),
    isUnfree: isUnfree(use, manifest),
  }
  const { dataSet } = manifest
  return decideBasis(mirror.basesOf(dataSet), { ...use, dataSet, isAssessed }, { manifest, shape })
}

function isUnfree({ purpose, acquirerClass }: Use, { person: { subjects } }: Manifest): boolean {
  return isConsentPresumedUnfree({ purpose, acquirerClass, subjects })
}

/** Columns under a person's own key stand in no question. */
function isUsable({ sensitivity }: Column): boolean {
  return sensitivity === 'ordinary' || sensitivity === 'special_category'
}

function needsGrants({ use, manifest }: ColumnsUse, usesSpecial: boolean): boolean {
  if (isConsentBasis(manifest.legalBasis) || use.mode === 'rows') return true
  return usesSpecial && isConsentBasis(specialBasisOf(manifest))
}
